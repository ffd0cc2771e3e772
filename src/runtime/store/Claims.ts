/**
 * Who works on what. A run claims the partitions of a step before it looks at them again and materializes them, so two
 * processes never do the same work twice.
 *
 * Claims are session advisory locks on one connection of the run: they end with the process, however it ends, and need
 * no clock. A claim that is taken waits and tries again: all or nothing, so claims cannot deadlock.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Connection from "effect/sql/SqlConnection"
import { lockName } from "./RunStore.ts"
import { during, StoreError } from "./StoreError.ts"

/** The claims of one run. */
export interface RunClaims {
  /** Held until the scope closes. */
  readonly claim: (asset: string, partitions: ReadonlyArray<string>) => Effect.Effect<void, StoreError, Scope.Scope>
}

export class Claims extends Context.Service<Claims, {
  /** Says that the run's process is alive, until the scope closes. */
  readonly hold: (runId: string) => Effect.Effect<RunClaims, StoreError, Scope.Scope>
}>()("barograph/runtime/store/Claims") {
  static readonly layer = Layer.effect(Claims, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  /** For one process: nobody else is there. */
  static readonly layerMemory = Layer.succeed(Claims, {
    hold: () => Effect.succeed({ claim: () => Effect.void })
  })
}

const names = (asset: string, partitions: ReadonlyArray<string>): string =>
  JSON.stringify(partitions.map((partition) => `barograph/claim/${asset}/${partition}`))

const TRY = `select name, pg_try_advisory_lock(hashtextextended(name, 0)) as held
  from jsonb_array_elements_text($1::jsonb) as asked(name)`
const FREE = `select pg_advisory_unlock(hashtextextended(name, 0))
  from jsonb_array_elements_text($1::jsonb) as asked(name)`

interface Tried {
  readonly name: string
  readonly held: boolean
}

const free = (connection: Connection.Connection, held: string) =>
  Effect.ignore(connection.executeUnprepared(FREE, [held], undefined))

const tryAll = (connection: Connection.Connection, wanted: string) =>
  Effect.gen(function*() {
    const tried: ReadonlyArray<Tried> = yield* connection.executeUnprepared(TRY, [wanted], undefined)
    if (tried.every((one) => one.held)) return true
    yield* free(connection, JSON.stringify(tried.filter((one) => one.held).map((one) => one.name)))
    return false
  }).pipe(Effect.uninterruptible)

const claim = (connection: Connection.Connection, wanted: string) =>
  Effect.acquireRelease(
    tryAll(connection, wanted).pipe(
      Effect.repeat({ until: (held) => held, schedule: Schedule.spaced("100 millis") }),
      Effect.interruptible
    ),
    () => free(connection, wanted)
  )

const make = (sql: SqlClient.SqlClient): Claims["Service"] => ({
  hold: (runId) =>
    Effect.gen(function*() {
      const connection = yield* sql.reserve
      const own = JSON.stringify([lockName(runId)])
      yield* Effect.acquireRelease(tryAll(connection, own), () => free(connection, own))
      return {
        claim: (asset: string, partitions: ReadonlyArray<string>) =>
          claim(connection, names(asset, partitions)).pipe(Effect.asVoid, during("claim partitions"))
      }
    }).pipe(during("hold run"))
})
