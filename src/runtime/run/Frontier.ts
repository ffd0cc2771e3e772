/**
 * Lays the steps of a plan out while it runs: which calls can be made now.
 *
 * A step is one call of one asset: up to the asset's batch size of partitions. It waits for the upstream partitions that
 * this plan materializes and is ready when they are through, well or badly. Steps are made a window at a time, so that a
 * plan of a million partitions needs no million steps in memory. Higher priority goes first, then what lies further
 * downstream: a line of work is finished before another one is begun.
 */
import type * as Asset from "../asset/Asset.ts"
import * as PartitionKey from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type { AssetPlan, Plan } from "../plan/Plan.ts"
import * as Heap from "./Heap.ts"

export interface Step {
  readonly id: number
  readonly of: AssetPlan
  /** Canonical texts. */
  readonly partitions: ReadonlyArray<string>
}

export interface Frontier {
  /** A step that can be made now; undefined when every remaining one waits. */
  readonly take: () => Step | undefined
  /** Each step that was taken, once. */
  readonly finish: (step: Step) => void
  /** True when every step was taken and finished. */
  readonly isDone: () => boolean
}

/** So many steps of an asset are made ahead: enough to see past one that waits, few enough to hold. */
const WINDOW = 256

/** Groups of `batch.by` that are filled side by side. */
const OPEN_GROUPS = 256

/** A step that reads more partitions of an asset than this waits for all that the plan makes of it. */
const COUNTED = 256

interface Waiting {
  readonly step: Step
  readonly lane: Lane
  /** What it still waits for. */
  left: number
}

/** One asset of the plan. */
interface Lane {
  readonly order: number
  /** The longest way from an asset that reads nothing of this plan. */
  readonly depth: number
  readonly plan: AssetPlan
  readonly batches: Iterator<ReadonlyArray<PartitionKey.PartitionKey>>
  /** By rank in the planned set. */
  readonly finished: Uint8Array
  /** A partition of it, or `WHOLE`, to what waits for it. */
  readonly waiting: Map<string, Array<Waiting>>
  readonly inputs: ReadonlyArray<{ readonly lane: Lane; readonly mapping: PartitionMapping.PartitionMapping }>
  left: number
  /** Steps made and not yet taken. */
  ahead: number
}

/** What waits for all partitions of an asset. No canonical text is like it. */
const WHOLE = "*"

function* batchesOf(plan: AssetPlan): Generator<ReadonlyArray<PartitionKey.PartitionKey>> {
  const { by, max } = plan.asset.batch
  const open = new Map<string, Array<PartitionKey.PartitionKey>>()
  for (const key of PartitionSet.keys(plan.planned)) {
    const group = by === undefined ? "" : by(key)
    let batch = open.get(group)
    if (batch === undefined) open.set(group, batch = [])
    batch.push(key)
    if (batch.length >= max) {
      open.delete(group)
      yield batch
    } else if (open.size > OPEN_GROUPS) {
      const [oldest, part] = open.entries().next().value!
      open.delete(oldest)
      yield part
    }
  }
  yield* open.values()
}

const makeLanes = (plan: Plan): ReadonlyArray<Lane> => {
  const lanes = new Map<Asset.Any, Lane>()
  for (const [order, one] of plan.assets.entries()) {
    const size = PartitionSet.size(one.planned)
    if (size === 0) continue
    const inputs = Object.values(one.asset.dependencies).flatMap(({ asset, mapping }) => {
      const lane = lanes.get(asset)
      return lane === undefined ? [] : [{ lane, mapping }]
    })
    lanes.set(one.asset, {
      order,
      depth: inputs.reduce((most, { lane }) => Math.max(most, lane.depth + 1), 0),
      plan: one,
      batches: batchesOf(one),
      finished: new Uint8Array(size),
      waiting: new Map(),
      inputs,
      left: size,
      ahead: 0
    })
  }
  return [...lanes.values()]
}

const wait = (lane: Lane, on: string, waiting: Waiting): void => {
  const known = lane.waiting.get(on)
  if (known === undefined) lane.waiting.set(on, [waiting])
  else known.push(waiting)
  waiting.left++
}

const isFinished = (lane: Lane, key: PartitionKey.PartitionKey): boolean => {
  const rank = PartitionSet.rank(lane.plan.planned, key)
  return rank < 0 || lane.finished[rank] === 1
}

/** Enters the step wherever something it reads is not through yet. */
const enter = (waiting: Waiting, keys: ReadonlyArray<PartitionKey.PartitionKey>): void => {
  const own = waiting.lane.plan.demanded.space
  for (const { lane, mapping } of waiting.lane.inputs) {
    if (lane.left === 0) continue
    const up = lane.plan.demanded.space
    const read = PartitionMapping.upstream(mapping, up, PartitionSet.fromKeys(own, keys)).keys
    if (PartitionSet.size(read) > COUNTED) {
      wait(lane, WHOLE, waiting)
      continue
    }
    for (const key of PartitionSet.keys(read)) {
      if (!isFinished(lane, key)) wait(lane, PartitionKey.toText(key), waiting)
    }
  }
}

export const make = (plan: Plan): Frontier => {
  const lanes = makeLanes(plan)
  const laneOf = new Map(lanes.map((lane) => [lane.plan, lane]))
  const ready = Heap.make<Waiting>((a, b) =>
    b.lane.plan.asset.priority - a.lane.plan.asset.priority || b.lane.depth - a.lane.depth ||
    a.lane.order - b.lane.order || a.step.id - b.step.id
  )
  let id = 0
  let left = lanes.reduce((sum, lane) => sum + lane.left, 0)

  const fill = (lane: Lane): void => {
    while (lane.ahead < WINDOW) {
      const next = lane.batches.next()
      if (next.done === true) return
      const step = { id: id++, of: lane.plan, partitions: next.value.map(PartitionKey.toText) }
      const waiting: Waiting = { step, lane, left: 0 }
      lane.ahead++
      enter(waiting, next.value)
      if (waiting.left === 0) Heap.push(ready, waiting)
    }
  }
  const release = (lane: Lane, on: string): void => {
    for (const waiting of lane.waiting.get(on) ?? []) if (--waiting.left === 0) Heap.push(ready, waiting)
    lane.waiting.delete(on)
  }
  for (const lane of lanes) fill(lane)

  return {
    take: () => {
      const next = Heap.pop(ready)
      if (next === undefined) return undefined
      next.lane.ahead--
      if (next.lane.ahead < WINDOW / 2) fill(next.lane)
      return next.step
    },
    finish: (step) => {
      const lane = laneOf.get(step.of)!
      for (const text of step.partitions) {
        lane.finished[PartitionSet.rank(lane.plan.planned, PartitionKey.fromText(text))] = 1
        release(lane, text)
      }
      lane.left -= step.partitions.length
      left -= step.partitions.length
      if (lane.left === 0) release(lane, WHOLE)
    },
    isDone: () => left === 0
  }
}
