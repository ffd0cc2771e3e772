/** Who leads, and what goes on and waits. */
import type { Leader } from "../../store/Leadership.ts"
import type { Run } from "../../store/RunStore.ts"
import * as Table from "./Table.ts"

export interface Standing {
  readonly now: number
  readonly leader: Leader | undefined
  /** Those that are not over. */
  readonly runs: ReadonlyArray<Run>
}

const iso = (instant: number): string => new Date(instant).toISOString()

const second = (instant: number): string => `${iso(instant).slice(0, 19).replace("T", " ")}Z`

const leaderLine = ({ leader }: Standing): string => {
  if (leader === undefined) return "No daemon has led yet."
  const since = `term ${leader.term}, since ${second(leader.since)}`
  return leader.isExpired ? `Nobody leads; the last was ${leader.holder}, ${since}` : `${leader.holder} leads, ${since}`
}

const counted = (runs: ReadonlyArray<Run>): string => {
  const of = (status: string): number => runs.filter((run) => run.status === status).length
  return `${of("running")} running, ${of("queued")} queued, ${of("requested")} requested`
}

export const status = (self: Standing): ReadonlyArray<string> => [
  leaderLine(self),
  counted(self.runs),
  ...(self.runs.length === 0 ? [] : Table.render(
    ["run", "status", "since", "asked for by"],
    self.runs.map(({ runId, startedAt, status, tags }) => [
      runId,
      status,
      second(startedAt),
      tags["automation"] ?? (tags["backfill"] === undefined ? "a command" : `backfill ${tags["backfill"]}`)
    ])
  ))
]

export const toJson = ({ leader, now, runs }: Standing) => ({
  leader: leader === undefined ? null : { ...leader, since: iso(leader.since), expiresAt: iso(leader.expiresAt) },
  now: iso(now),
  runs
})
