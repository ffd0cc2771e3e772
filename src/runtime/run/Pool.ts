/**
 * Pools: how many calls of the assets that name a pool run at a time, in all processes together. A pool without a limit
 * has none.
 *
 * Within a run a semaphore keeps the order in which calls came; the lease on one of the pool's slots, which other
 * processes see, is held by the run (`Claims`) and ends with its process.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { RunClaims } from "../store/Claims.ts"
import type { StoreError } from "../store/StoreError.ts"

export type Limits = { readonly [pool: string]: number }

export interface Pools {
  readonly withLease: <A, E, R>(
    pool: string | undefined,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreError, R>
}

export const make = (limits: Limits, claims: RunClaims): Pools => {
  const queues = new Map(Object.entries(limits).map(([pool, limit]) => [pool, Semaphore.makeUnsafe(limit)]))
  return {
    withLease: (pool, effect) => {
      const queue = pool === undefined ? undefined : queues.get(pool)
      if (pool === undefined || queue === undefined) return effect
      return Semaphore.withPermit(
        queue,
        Effect.scoped(Effect.andThen(claims.lease(pool, limits[pool]!), effect)) as typeof effect
      )
    }
  }
}
