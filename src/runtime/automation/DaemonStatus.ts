/** Who leads, and what goes on and waits: the same for the terminal and for HTTP. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Leader, Leadership } from "../store/Leadership.ts"
import { type Run, RunStore } from "../store/RunStore.ts"

export interface DaemonStatus {
  readonly now: number
  readonly leader: Leader | undefined
  /** Those that are not over. */
  readonly runs: ReadonlyArray<Run>
}

const OPEN = ["requested", "queued", "running"] as const

export const look = Effect.gen(function*() {
  const runs = yield* RunStore
  yield* runs.recover
  const leader = yield* (yield* Leadership).leader
  const open = yield* Effect.forEach(OPEN, (status) => runs.list({ limit: 1000, status }))
  return { now: yield* Clock.currentTimeMillis, leader, runs: open.flat() } satisfies DaemonStatus
})

const iso = (instant: number): string => new Date(instant).toISOString()

export const toJson = ({ leader, now, runs }: DaemonStatus) => ({
  leader: leader === undefined ? null : { ...leader, since: iso(leader.since), expiresAt: iso(leader.expiresAt) },
  now: iso(now),
  runs
})
