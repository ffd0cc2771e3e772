/** Pools: how many calls of the assets that name a pool run at a time in this process. An unnamed pool has no limit. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

export interface Pools {
  readonly withLease: <A, E, R>(pool: string | undefined, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = (limits: { readonly [pool: string]: number }): Pools => {
  const leases = new Map(Object.entries(limits).map(([pool, limit]) => [pool, Semaphore.makeUnsafe(limit)]))
  return {
    withLease: (pool, effect) => {
      const lease = pool === undefined ? undefined : leases.get(pool)
      return lease === undefined ? effect : Semaphore.withPermit(lease, effect)
    }
  }
}
