/**
 * Hints from one process to all: something is there to be looked at. Whoever hears one reads the store; none is needed to
 * be right, only to be quick. After a connection was lost hints may be missing, so each new one begins with `Connected`.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { during, type StoreError } from "./StoreError.ts"

/** What a process says to the others. `AutomationChanged`: paused, resumed, or to be evaluated now. */
const Said = Schema.TaggedUnion({
  RunRequested: {},
  RunEnded: { runId: Schema.String },
  AutomationChanged: {},
  BackfillChanged: {}
})
type Said = typeof Said.Type

export type Signal = Said | { readonly _tag: "Connected" }

const connected = Stream.make<[Signal]>({ _tag: "Connected" })

export class Signals extends Context.Service<Signals, {
  /** Told when the transaction around it commits. */
  readonly send: (signal: Said) => Effect.Effect<void, StoreError>
  /** Never ends and never fails: a lost connection is made anew. */
  readonly changes: Stream.Stream<Signal>
}>()("barograph/runtime/store/Signals") {
  static readonly layer = Layer.effect(
    Signals,
    Effect.gen(function*() {
      const sql = yield* PgClient.PgClient
      return {
        send: (signal: Said) => during("send a signal")(notify(sql, signal)),
        // One connection for all who listen, while there are any.
        changes: yield* Stream.share(changesOf(sql), { capacity: "unbounded" })
      }
    })
  )

  /** For one process. */
  static readonly layerMemory = Layer.effect(
    Signals,
    Effect.map(PubSub.unbounded<Signal>(), (heard) => ({
      send: (signal: Said) => Effect.asVoid(PubSub.publish(heard, signal)),
      // Subscribed before it says so: what comes in between is heard.
      changes: Stream.unwrap(
        Effect.map(PubSub.subscribe(heard), (own) => Stream.concat(connected, Stream.fromSubscription(own)))
      )
    }))
  )
}

const CHANNEL = "barograph"

const encode = Schema.encodeSync(Schema.fromJsonString(Said))
const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Said))

/** For stores that tell within their own transaction. */
export const notify = (sql: SqlClient.SqlClient, signal: Said): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`select pg_notify(${CHANNEL}, ${encode(signal)})`)

/** A server that is gone is asked again this often. */
const AGAIN = Schedule.spaced("1 second")

/** What another version of the program says and this one does not know is passed over. */
const changesOf = (sql: PgClient.PgClient): Stream.Stream<Signal> =>
  Stream.unwrap(
    Effect.map(sql.listen(CHANNEL), (queue) =>
      Stream.concat(
        connected,
        Stream.filterMap(Stream.fromQueue(queue), ({ payload }) => decode(payload))
      ))
  ).pipe(Stream.retry(AGAIN), Stream.orDie)
