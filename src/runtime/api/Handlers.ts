/** What the endpoints answer. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as DaemonMetrics from "../automation/DaemonMetrics.ts"
import * as DaemonStatus from "../automation/DaemonStatus.ts"
import * as Leaving from "../automation/Leaving.ts"
import * as Pulse from "../automation/Pulse.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import { Leadership } from "../store/Leadership.ts"
import { RunStore } from "../store/RunStore.ts"
import { Api, NotReady, Stalled } from "./Api.ts"

const PATIENCE = "2 seconds"

/** Whoever probes has less patience than a database that is gone. */
const answering = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Leaving.timeoutOrElse(effect, {
    duration: PATIENCE,
    orElse: () => Effect.fail({ message: `nothing within ${PATIENCE}` })
  }).pipe(
    Effect.mapError(({ message }) => new NotReady({ message: `the database does not answer: ${message}` }))
  )

const health = Effect.gen(function*() {
  const loops = yield* Pulse.stalled
  if (Object.keys(loops).length > 0) return yield* new Stalled({ loops })
  return { status: "ok" as const }
})

/** `term` is that of this process, while it leads. */
const ready = (term: () => number | undefined) =>
  Effect.gen(function*() {
    const leader = yield* answering(Effect.flatMap(Leadership, (leadership) => leadership.leader))
    return {
      role: term() === undefined ? "stands by" as const : "leads" as const,
      leader: leader === undefined || leader.isExpired ? null : { holder: leader.holder, term: leader.term }
    }
  })

type Stores = AlertStore | AutomationStore | BackfillStore | Leadership | RunStore

export const layer = (term: () => number | undefined) =>
  HttpApiBuilder.group(Api, "daemon", (handlers) =>
    Effect.gen(function*() {
      const stores = yield* Effect.context<Stores>()
      return handlers.handleAll({
        health: () => health,
        ready: () => Effect.provideContext(ready(term), stores),
        status: () => Effect.provideContext(Effect.map(answering(DaemonStatus.look), DaemonStatus.toJson), stores),
        metrics: () => Effect.provideContext(Effect.andThen(DaemonMetrics.refresh, PrometheusMetrics.format()), stores)
      })
    }))
