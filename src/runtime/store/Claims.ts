/**
 * Who works on what. A run claims the partitions of a step before it looks at them again and materializes them, so two
 * processes never do the same work twice; and it takes a lease on one of a pool's slots while it makes a call.
 *
 * Claims and leases are session advisory locks on one connection of the run: they end with the process, however it ends, and need
 * no clock. Who finds one taken waits and tries again; claims are all or nothing, so they cannot deadlock.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Connection from "effect/sql/SqlConnection"
import { lockName } from "./RunStore.ts"
import { during, StoreError } from "./StoreError.ts"

/** The claims of one run. */
export interface RunClaims {
  /** Held until the scope closes. */
  readonly claim: (asset: string, partitions: ReadonlyArray<string>) => Effect.Effect<void, StoreError, Scope.Scope>
  /** One of so many slots of the pool, held until the scope closes. */
  readonly lease: (pool: string, slots: number) => Effect.Effect<void, StoreError, Scope.Scope>
}

export class Claims extends Context.Service<Claims, {
  /** Says that the run's process is alive, until the scope closes. */
  readonly hold: (runId: string) => Effect.Effect<RunClaims, StoreError, Scope.Scope>
}>()("barograph/runtime/store/Claims") {
  static readonly layer = Layer.effect(Claims, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  /** For one process. */
  static readonly layerMemory = Layer.sync(Claims, () => {
    const pools = new Map<string, Semaphore.Semaphore>()
    const poolOf = (pool: string, slots: number): Semaphore.Semaphore => {
      if (!pools.has(pool)) pools.set(pool, Semaphore.makeUnsafe(slots))
      return pools.get(pool)!
    }
    const lease = (pool: string, slots: number) =>
      Effect.asVoid(Effect.acquireRelease(
        Semaphore.take(poolOf(pool, slots), 1),
        () => Semaphore.release(poolOf(pool, slots), 1),
        { interruptible: true }
      ))
    return { hold: () => Effect.succeed({ claim: () => Effect.void, lease }) }
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

/** Waits between two looks at what somebody else holds. */
const AGAIN = Schedule.spaced("100 millis")

const claim = (connection: Connection.Connection, wanted: string) =>
  Effect.acquireRelease(
    tryAll(connection, wanted).pipe(
      Effect.repeat({ until: (held) => held, schedule: AGAIN }),
      Effect.interruptible
    ),
    () => free(connection, wanted)
  )

const slotName = (pool: string, slot: number): string => `barograph/pool/${pool}/${slot}`

/** A session may lock what it holds already: slots of this run are left out. */
const TRY_SLOT = `select slot from generate_series(0, $2::int - 1) as slot
  where not ($3::jsonb @> to_jsonb(slot))
    and pg_try_advisory_lock(hashtextextended('barograph/pool/' || $1 || '/' || slot, 0))
  limit 1`

const trySlot = (connection: Connection.Connection, pool: string, slots: number, own: Set<number>) =>
  Effect.gen(function*() {
    const parameters = [pool, slots, JSON.stringify([...own])]
    const [found]: ReadonlyArray<{ slot?: number }> = yield* connection.executeUnprepared(
      TRY_SLOT,
      parameters,
      undefined
    )
    if (found?.slot !== undefined) own.add(found.slot)
    return found?.slot
  }).pipe(Effect.uninterruptible)

const lease = (connection: Connection.Connection, pool: string, slots: number, own: Set<number>) =>
  Effect.acquireRelease(
    trySlot(connection, pool, slots, own).pipe(
      Effect.repeat({ until: (slot) => slot !== undefined, schedule: AGAIN }),
      Effect.interruptible
    ),
    (slot) =>
      Effect.andThen(
        free(connection, JSON.stringify([slotName(pool, slot!)])),
        Effect.sync(() => own.delete(slot!))
      )
  )

const make = (sql: SqlClient.SqlClient): Claims["Service"] => ({
  hold: (runId) =>
    Effect.gen(function*() {
      const connection = yield* sql.reserve
      const own = JSON.stringify([lockName(runId)])
      const slots = new Map<string, Set<number>>()
      yield* Effect.acquireRelease(tryAll(connection, own), () => free(connection, own))
      return {
        claim: (asset: string, partitions: ReadonlyArray<string>) =>
          claim(connection, names(asset, partitions)).pipe(Effect.asVoid, during("claim partitions")),
        lease: (pool: string, count: number) => {
          const held = slots.get(pool) ?? new Set<number>()
          slots.set(pool, held)
          return lease(connection, pool, count, held).pipe(Effect.asVoid, during("take a lease of a pool"))
        }
      }
    }).pipe(during("hold run"))
})
