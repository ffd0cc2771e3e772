/** Notices when an asset becomes overdue, and when it is fresh again: at the instants at which time alone changes it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Freshness from "../asset/Freshness.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Watch from "./Watch.ts"

export interface Change {
  readonly asset: string
  readonly from: Freshness.Status
  readonly to: Freshness.Status
  readonly sentence: string
}

export const keyOf = (asset: string): string => `freshness/${asset}`

const STATUSES: ReadonlyArray<unknown> = ["fresh", "warn", "overdue", "unknown"]

const statusOf = (cursor: unknown): Freshness.Status =>
  STATUSES.includes(cursor) ? cursor as Freshness.Status : "unknown"

/** `changed` is told in the transaction that remembers the change. */
const look = (
  graph: AssetGraph.Any,
  fenced: Watch.Fenced,
  changed: (change: Change) => Effect.Effect<void, StoreError>
) =>
  Effect.gen(function*() {
    const store = yield* AutomationStore
    const timed = [...graph.assets.values()].filter(({ freshness }) => freshness !== undefined)
    if (timed.length === 0) return undefined
    const now = yield* Clock.currentTimeMillis
    const memories = yield* store.all
    const successes = yield* (yield* MaterializationStore).latestSuccess(timed.map(({ name }) => name))
    let next: number | undefined
    for (const { freshness, name } of timed) {
      const { changesAt, sentence, status } = Freshness.evaluate(freshness!, successes.get(name), now)
      next = changesAt === undefined ? next : Math.min(next ?? changesAt, changesAt)
      const from = statusOf(memories.get(keyOf(name))?.cursor)
      if (status === from) continue
      yield* Effect.logInfo(`${name} is ${status}: ${sentence}`)
      yield* fenced(
        Effect.andThen(store.record(keyOf(name), status, []), changed({ asset: name, from, to: status, sentence }))
      )
    }
    return next
  })

export const run = (
  graph: AssetGraph.Any,
  fenced: Watch.Fenced,
  changed: (change: Change) => Effect.Effect<void, StoreError>
) => Watch.watch(({ _tag }) => _tag === "RunEnded" || _tag === "Connected", look(graph, fenced, changed))
