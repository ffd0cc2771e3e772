/**
 * What a condition answers, worked out the slow way: for one partition after the other, from a log of what happened, with
 * sets of texts. Knows no numbers of runs, no standings and no sets of partitions.
 */
import type * as Asset from "../../src/runtime/asset/Asset.ts"
import type * as Condition from "../../src/runtime/asset/Condition.ts"
import * as Cron from "../../src/runtime/partition/Cron.ts"
import * as PartitionKey from "../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"
import type * as TimeAxis from "../../src/runtime/partition/TimeAxis.ts"
import type * as Staleness from "../../src/runtime/plan/Staleness.ts"

type Texts = ReadonlySet<string>

/** How the world is. */
export interface World {
  readonly universe: Partitions.Universe
  readonly stateOf: (asset: string, partition: string) => Staleness.PartitionState
  /** Asset to what the planner finds stale. */
  readonly stale: ReadonlyMap<string, Texts>
  /** `asset/partition`, as its data came out different, in the order of the events. */
  readonly changes: ReadonlyArray<string>
  readonly inProgress: Texts
}

/** What is remembered; one for each condition. */
export interface Memory {
  readonly sets: Map<string, Texts>
  asked: Texts
  changes: number
  at: number
}

const wordsOf = (space: Partitions.Space): ReadonlyArray<string> => [...PartitionSet.texts(PartitionSet.all(space))]

const isLatest = (space: Partitions.Space, key: PartitionKey.PartitionKey, lookback: number | undefined): boolean =>
  space.names.every((name, level) => {
    if (space.dimensions[name]!._tag !== "time") return true
    const axis = space.axes[level] as TimeAxis.Axis
    const [index, last] = [axis.indexOf(key[name]!), axis.length - 1]
    return index === last || (lookback !== undefined && axis.startAt(index) >= axis.endAt(last) - lookback)
  })

const absent = (condition: Condition.Condition): boolean => {
  switch (condition._tag) {
    case "missing":
      return true
    case "allDeps":
      return true
    case "not":
      return !absent(condition.of)
    case "and":
      return !condition.of.some((one) => !absent(one))
    case "or":
      return condition.of.some(absent)
    case "label":
      return absent(condition.of)
    default:
      return false
  }
}

export const evaluate = (
  condition: Condition.Condition,
  owner: Asset.Any,
  world: World,
  memory: Memory | undefined
): { readonly requested: Texts; readonly memory: Memory } => {
  const next: Memory = {
    sets: new Map(),
    asked: new Set(),
    changes: world.changes.length,
    at: Math.max(world.universe.now, memory?.at ?? world.universe.now)
  }
  const isSo = (asset: Asset.Any, condition: Condition.Condition, space: Partitions.Space, text: string): boolean => {
    const key = PartitionKey.fromText(text)
    const state = world.stateOf(asset.name, text)
    switch (condition._tag) {
      case "missing":
        return state.latest === undefined
      case "failed":
        return state.failure !== undefined
      case "rejected":
        return state.latest?.rejected !== undefined
      case "outdated":
        return world.stale.get(asset.name)!.has(text)
      case "inProgress":
        return world.inProgress.has(`${asset.name}/${text}`)
      case "newlyUpdated":
        return memory !== undefined && world.changes.slice(memory.changes).includes(`${asset.name}/${text}`)
      case "newlyRequested":
        return asset === owner && memory !== undefined && memory.asked.has(text)
      case "initial":
        return memory === undefined
      case "inLatestWindow":
        return isLatest(space, key, condition.lookback)
      case "cronTickPassed":
        return memory !== undefined &&
          Cron.ticks(condition.cron, condition.zone, memory.at + 1, world.universe.now + 1).length > 0
      default:
        throw new Error(`${condition._tag} has parts`)
    }
  }
  const readings = (asset: Asset.Any, space: Partitions.Space, text: string) =>
    Object.entries(asset.dependencies).map(([name, { asset: upstream, mapping }]) => {
      const up = Partitions.space(upstream.dimensions, world.universe)
      const key = PartitionKey.fromText(text)
      const one = PartitionSet.fromKeys(space, [key])
      return {
        name,
        upstream,
        texts: PartitionMapping.upstreamOf(mapping, up, space, key).map(PartitionKey.toText),
        lacks: !PartitionSet.isEmpty(PartitionMapping.upstream(mapping, up, one).missing)
      }
    })
  const filter = (asset: Asset.Any, holds: (text: string, space: Partitions.Space) => boolean): Texts => {
    const space = Partitions.space(asset.dimensions, world.universe)
    return new Set(wordsOf(space).filter((text) => holds(text, space)))
  }
  const where = (asset: Asset.Any, condition: Condition.Condition, path: string): Texts => {
    const part = (of: Condition.Condition, name: string): Texts => where(asset, of, `${path}/${name}`)
    switch (condition._tag) {
      case "anyDeps":
      case "allDeps": {
        const of = new Map(
          Object.entries(asset.dependencies).map(([name, { asset: upstream }]) => [
            name,
            where(upstream, condition.of, `${path}/dep ${name}`)
          ])
        )
        return filter(asset, (text, space) => {
          const each = readings(asset, space, text).flatMap(({ lacks, name, texts }) => [
            ...texts.map((one) => of.get(name)!.has(one)),
            ...(lacks ? [absent(condition.of)] : [])
          ])
          return condition._tag === "anyDeps" ? each.includes(true) : !each.includes(false)
        })
      }
      case "newly": {
        const now = part(condition.of, "of")
        next.sets.set(path, now)
        const before = memory?.sets.get(path)
        return filter(asset, (text) => now.has(text) && before?.has(text) !== true)
      }
      case "since": {
        const [trigger, reset] = [part(condition.trigger, "trigger"), part(condition.reset, "reset")]
        const before = memory?.sets.get(path)
        const holds = filter(asset, (text) => trigger.has(text) || (before?.has(text) === true && !reset.has(text)))
        next.sets.set(path, holds)
        return holds
      }
      case "and":
      case "or": {
        const each = condition.of.map((one, at) => part(one, `${at}`))
        return filter(
          asset,
          (text) => condition._tag === "and" ? each.every((one) => one.has(text)) : each.some((one) => one.has(text))
        )
      }
      case "not": {
        const of = part(condition.of, "of")
        return filter(asset, (text) => !of.has(text))
      }
      case "label":
        return part(condition.of, "of")
      default:
        return filter(asset, (text, space) => isSo(asset, condition, space, text))
    }
  }
  const found = where(owner, condition, "")
  next.asked = new Set([...found].filter((text) => !world.inProgress.has(`${owner.name}/${text}`)))
  return { requested: next.asked, memory: next }
}
