/** Notices when an asset becomes overdue, and when it is fresh again: at the instants at which time alone changes it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Freshness from "../asset/Freshness.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore, type Memory } from "../store/AutomationStore.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import type { Finding } from "./Alert.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as Watch from "./Watch.ts"

const KEY = "freshness/"

const keyOf = (asset: string): string => `${KEY}${asset}`

const STATUSES: ReadonlyArray<unknown> = ["fresh", "warn", "overdue", "unknown"]

const statusOf = (cursor: unknown): Freshness.Status =>
  STATUSES.includes(cursor) ? cursor as Freshness.Status : "unknown"

interface Change {
  readonly asset: string
  readonly status: Freshness.Status
  readonly sentence: string
  readonly findings: ReadonlyArray<Finding>
}

/** Assets that were asked how fresh they are, and are not any more: their policy is gone, or they are. */
const unasked = (
  memories: ReadonlyMap<string, Memory>,
  asked: ReadonlySet<string>,
  now: number
): ReadonlyArray<Change> =>
  [...memories.values()].flatMap(({ cursor, name }): ReadonlyArray<Change> => {
    const asset = name.slice(KEY.length)
    if (!name.startsWith(KEY) || asked.has(asset) || statusOf(cursor) === "unknown") return []
    const sentence = "nothing says any more how fresh it should be"
    return [{ asset, status: "unknown", sentence, findings: AlertPolicy.ofNoFreshness(asset, sentence, now) }]
  })

/** Whoever is told of the change is told in the transaction that remembers it. */
const look = (graph: AssetGraph.Any, fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const store = yield* AutomationStore
    const timed = [...graph.assets.values()].filter(({ freshness }) => freshness !== undefined)
    const names = timed.map(({ name }) => name)
    const now = yield* Clock.currentTimeMillis
    const memories = yield* store.all
    const successes = yield* (yield* MaterializationStore).latestSuccess(names)
    const changes = [...unasked(memories, new Set(names), now)]
    let next: number | undefined
    for (const { freshness, name } of timed) {
      const { changesAt, sentence, status } = Freshness.evaluate(freshness!, successes.get(name), now)
      next = changesAt === undefined ? next : Math.min(next ?? changesAt, changesAt)
      if (status === statusOf(memories.get(keyOf(name))?.cursor)) continue
      changes.push({
        asset: name,
        status,
        sentence,
        findings: AlertPolicy.ofFreshness(name, { status, sentence }, now)
      })
    }
    for (const { asset, findings, sentence, status } of changes) {
      yield* Effect.logInfo(`${asset} is ${status}: ${sentence}`)
      yield* fenced(Effect.andThen(store.record(keyOf(asset), status, []), (yield* AlertStore).observe(findings)))
    }
    return next
  })

export const run = (graph: AssetGraph.Any, fenced: Watch.Fenced) =>
  Watch.watch(({ _tag }) => _tag === "RunEnded" || _tag === "Connected", look(graph, fenced))
