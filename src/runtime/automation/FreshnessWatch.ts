/** Notices when an asset becomes overdue, and when it is fresh again: at the instants at which time alone changes it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Freshness from "../asset/Freshness.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { MaterializationStore } from "../store/MaterializationStore.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as Watch from "./Watch.ts"

const keyOf = (asset: string): string => `freshness/${asset}`

const STATUSES: ReadonlyArray<unknown> = ["fresh", "warn", "overdue", "unknown"]

const statusOf = (cursor: unknown): Freshness.Status =>
  STATUSES.includes(cursor) ? cursor as Freshness.Status : "unknown"

/** Whoever is told of the change is told in the transaction that remembers it. */
const look = (graph: AssetGraph.Any, fenced: Watch.Fenced) =>
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
      const findings = AlertPolicy.ofFreshness(name, { status, sentence }, now)
      yield* fenced(Effect.andThen(store.record(keyOf(name), status, []), (yield* AlertStore).observe(findings)))
    }
    return next
  })

export const run = (graph: AssetGraph.Any, fenced: Watch.Fenced) =>
  Watch.watch(({ _tag }) => _tag === "RunEnded" || _tag === "Connected", look(graph, fenced))
