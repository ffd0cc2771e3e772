/**
 * Which daemon leads: a lease in PostgreSQL by the server's clock, and a term that only grows.
 *
 *     nobody leads --acquire--> leads (term n) --renew--> leads ... expires, or resigns --acquire by anybody--> term n + 1
 *
 * What a leader writes goes through `fenced`: a transaction that shares a lock on the key of the lease's row and fails when
 * another term has begun, so a leader that was paused and wakes up writes nothing. A new term writes the key too, and so
 * waits for such transactions; a renewal does not: a long write never costs the lead. One that is paused within such a transaction
 * holds the row up for `STALLED` at most: then the server ends its session.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import { during, StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

/** Another daemon leads by now; nothing was written. */
export class NotLeader extends Schema.TaggedError<NotLeader>()("NotLeader", { term: Schema.Finite }) {}

export interface Leader {
  readonly term: number
  /** Names the process to a person. */
  readonly holder: string
  /** Epoch milliseconds. */
  readonly since: number
  readonly expiresAt: number
  /** By the clock that decides. */
  readonly isExpired: boolean
}

export class Leadership extends Context.Service<Leadership, {
  /** The number of the new term, for so many milliseconds; undefined while somebody else leads. */
  readonly acquire: (holder: string, millis: number) => Effect.Effect<number | undefined, StoreError>
  readonly renew: (term: number, millis: number) => Effect.Effect<void, StoreError | NotLeader>
  /** Nobody has to wait for the lease to expire. */
  readonly resign: (term: number) => Effect.Effect<void, StoreError>
  /** What the effect writes to the stores of the engine is one transaction of this term. */
  readonly fenced: (
    term: number
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError | NotLeader, R>
  /** The latest leader, whether its lease has expired or not. */
  readonly leader: Effect.Effect<Leader | undefined, StoreError>
}>()("barograph/runtime/store/Leadership") {
  static readonly layer = Layer.effect(Leadership, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  /** For one process, by its own clock. */
  static readonly layerMemory = Layer.sync(Leadership, () => makeMemory())
}

/** Idle within a fenced transaction for so long is a process that stands still. */
const STALLED = "3s"

interface Row {
  readonly term: number
  readonly holder: string
  readonly since: Date
  readonly expires_at: Date
  readonly expired: boolean
}

const fenced = (sql: SqlClient.SqlClient, term: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    yield* sql.unsafe(`set local idle_in_transaction_session_timeout = '${STALLED}'`)
    const own = yield* sql`select 1 from barograph.leader where term = ${term} for key share`
    if (own.length === 0) return yield* new NotLeader({ term })
    return yield* effect
  })).pipe(
    Effect.mapError((error) =>
      SqlError.isSqlError(error) ? new StoreError({ operation: "write as leader", message: error.message }) : error
    )
  )

const make = (sql: SqlClient.SqlClient): Leadership["Service"] => ({
  acquire: (holder, millis) =>
    sql<{ term: number }>`insert into barograph.leader as led (term, holder, since, expires_at)
      values (1, ${holder}, clock_timestamp(), clock_timestamp() + ${millis}::float8 * interval '1 millisecond')
      on conflict (the_one) do update set the_one = true, term = led.term + 1, holder = excluded.holder, since = excluded.since,
        expires_at = excluded.expires_at where led.expires_at < clock_timestamp()
      returning term::float8 as term`.pipe(
      Effect.map(([row]) => row?.term),
      during("take the lead")
    ),
  renew: (term, millis) =>
    sql`update barograph.leader
      set expires_at = clock_timestamp() + ${millis}::float8 * interval '1 millisecond' where term = ${term} returning 1`
      .pipe(
        during("keep the lead"),
        Effect.filterOrFail((rows) => rows.length > 0, () => new NotLeader({ term })),
        Effect.asVoid
      ),
  resign: (term) =>
    sql`update barograph.leader set expires_at = '-infinity' where term = ${term}`.pipe(
      Effect.asVoid,
      during("hand over the lead")
    ),
  fenced: (term) => (effect) => fenced(sql, term)(effect),
  leader: sql<Row>`select term::float8 as term, holder, since, greatest(expires_at, since) as expires_at,
      expires_at < clock_timestamp() as expired from barograph.leader`.pipe(
    Effect.map(([row]) =>
      row === undefined ? undefined : {
        term: row.term,
        holder: row.holder,
        since: row.since.getTime(),
        expiresAt: row.expires_at.getTime(),
        isExpired: row.expired
      }
    ),
    during("look who leads")
  )
})

const makeMemory = (): Leadership["Service"] => {
  let led: Omit<Leader, "isExpired"> | undefined
  const current = (term: number) => led?.term === term ? Effect.void : Effect.fail(new NotLeader({ term }))
  return {
    acquire: (holder, millis) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (led !== undefined && led.expiresAt >= now) return undefined
        led = { term: (led?.term ?? 0) + 1, holder, since: now, expiresAt: now + millis }
        return led.term
      }),
    renew: (term, millis) =>
      Effect.andThen(
        current(term),
        Effect.map(Clock.currentTimeMillis, (now) => void (led = { ...led!, expiresAt: now + millis }))
      ),
    resign: (term) =>
      Effect.sync(() => {
        if (led?.term === term) led = { ...led, expiresAt: Number.NEGATIVE_INFINITY }
      }),
    fenced: (term) => (effect) => Effect.andThen(current(term), effect),
    leader: Effect.map(
      Clock.currentTimeMillis,
      (now) => led === undefined ? undefined : { ...led, isExpired: led.expiresAt < now }
    )
  }
}
