/**
 * Who works on what. A run claims the partitions of a step before it looks at them again and materializes them, so two
 * processes never do the same work twice; and it takes a lease on one of a pool's slots while it makes a call.
 *
 * Claims and leases are session advisory locks on one connection of the run: they end with the process, however it ends,
 * and need no clock. Who finds one taken waits and tries again; claims are all or nothing, so they cannot deadlock.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Connection from "effect/sql/SqlConnection"
import type * as SqlError from "effect/sql/SqlError"
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

/** Waits between two looks at what somebody else holds. */
const AGAIN = Schedule.spaced("100 millis")

/** Whoever recovers runs tries their locks for a moment; another process holds them on. */
const HOLD_TRIES = 10

/** What is let go waits this long for the next request to take it along. */
const SOON = "20 millis"

/**
 * First frees, then tries: branches of a union run in their order. Every row is answered: a condition on `turn` would let
 * the server leave out the branch that frees.
 */
const FREE_AND_TRY = `select 0 as turn, name, pg_advisory_unlock(hashtextextended(name, 0)) as done
    from jsonb_array_elements_text($1::jsonb) as freed(name)
  union all
  select 1, name, pg_try_advisory_lock(hashtextextended(name, 0))
    from jsonb_array_elements_text($2::jsonb) as asked(name)`

interface Answered {
  readonly turn: number
  readonly name: string
  readonly done: boolean
}

/** A session may lock what it holds already: slots of this run are left out. */
const TRY_SLOT = `select 'barograph/pool/' || $1 || '/' || slot as name from generate_series(0, $2::int - 1) as slot
  where not ($3::jsonb @> to_jsonb('barograph/pool/' || $1 || '/' || slot))
    and pg_try_advisory_lock(hashtextextended('barograph/pool/' || $1 || '/' || slot, 0))
  limit 1`

/** The advisory locks of one connection, by name. */
interface Locks {
  /** All of them or none. */
  readonly take: (names: ReadonlyArray<string>) => Effect.Effect<boolean, SqlError.SqlError>
  readonly takeSlot: (pool: string, slots: number) => Effect.Effect<string | undefined, SqlError.SqlError>
  readonly letGo: (names: ReadonlyArray<string>) => Effect.Effect<void>
}

const makeLocks = (connection: Connection.Connection): Effect.Effect<Locks, never, Scope.Scope> =>
  Effect.gen(function*() {
    const freed: Array<string> = []
    const slots = new Set<string>()
    const arrived = Latch.makeUnsafe(false)
    const send = (names: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        const parameters = [JSON.stringify(freed.splice(0)), JSON.stringify(names)]
        const answered = connection.executeUnprepared(FREE_AND_TRY, parameters, undefined)
        return Effect.map(
          answered as Effect.Effect<ReadonlyArray<Answered>, SqlError.SqlError>,
          (rows) => rows.filter(({ turn }) => turn === 1)
        )
      })
    const sendSoon = Effect.forever(Effect.gen(function*() {
      yield* arrived.await
      arrived.closeUnsafe()
      yield* Effect.sleep(SOON)
      if (freed.length > 0) yield* Effect.ignore(Effect.uninterruptible(send([])))
    }))
    const letGo = (names: ReadonlyArray<string>) =>
      Effect.sync(() => {
        freed.push(...names)
        for (const name of names) slots.delete(name)
        arrived.openUnsafe()
      })
    // The connection goes back to its pool: nothing may stay locked on it.
    yield* Effect.addFinalizer(() =>
      Effect.ignore(connection.executeUnprepared("select pg_advisory_unlock_all()", [], undefined))
    )
    yield* Effect.forkScoped(sendSoon)
    return {
      take: (names) =>
        Effect.gen(function*() {
          const tried = yield* send(names)
          if (tried.every(({ done }) => done)) return true
          yield* letGo(tried.filter(({ done }) => done).map(({ name }) => name))
          return false
        }).pipe(Effect.uninterruptible),
      takeSlot: (pool, count) =>
        Effect.gen(function*() {
          if (freed.length > 0) yield* send([])
          const own = JSON.stringify([...slots])
          const [found] =
            (yield* connection.executeUnprepared(TRY_SLOT, [pool, count, own], undefined)) as ReadonlyArray<
              { readonly name: string }
            >
          if (found !== undefined) slots.add(found.name)
          return found?.name
        }).pipe(Effect.uninterruptible),
      letGo
    }
  })

const claim = (locks: Locks, names: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.repeat(locks.take(names), { until: (held) => held, schedule: AGAIN }).pipe(Effect.interruptible),
    () => locks.letGo(names)
  )

const lease = (locks: Locks, pool: string, slots: number) =>
  Effect.acquireRelease(
    Effect.repeat(locks.takeSlot(pool, slots), { until: (name) => name !== undefined, schedule: AGAIN }).pipe(
      Effect.interruptible
    ),
    (name) => locks.letGo([name!])
  )

const make = (sql: SqlClient.SqlClient): Claims["Service"] => ({
  hold: (runId) =>
    Effect.gen(function*() {
      const locks = yield* makeLocks(yield* sql.reserve)
      const held = yield* Effect.repeat(locks.take([lockName(runId)]), {
        until: (held) => held,
        schedule: Schedule.upTo(AGAIN, { times: HOLD_TRIES })
      })
      if (!held) {
        return yield* new StoreError({ operation: "hold run", message: `run ${runId} is held by another process` })
      }
      return {
        claim: (asset: string, partitions: ReadonlyArray<string>) =>
          claim(locks, partitions.map((partition) => `barograph/claim/${asset}/${partition}`)).pipe(
            Effect.asVoid,
            during("claim partitions")
          ),
        lease: (pool: string, slots: number) =>
          lease(locks, pool, slots).pipe(Effect.asVoid, during("take a lease of a pool"))
      }
    }).pipe(during("hold run"))
})
