/** Who leads, and what goes on and waits. */
import type { DaemonStatus } from "../../automation/DaemonStatus.ts"
import type { Run } from "../../store/RunStore.ts"
import * as Table from "./Table.ts"

const iso = (instant: number): string => new Date(instant).toISOString()

const second = (instant: number): string => `${iso(instant).slice(0, 19).replace("T", " ")}Z`

const leaderLine = ({ leader }: DaemonStatus): string => {
  if (leader === undefined) return "No daemon has led yet."
  const since = `term ${leader.term}, since ${second(leader.since)}`
  return leader.isExpired ? `Nobody leads; the last was ${leader.holder}, ${since}` : `${leader.holder} leads, ${since}`
}

const counted = (runs: ReadonlyArray<Run>): string => {
  const of = (status: string): number => runs.filter((run) => run.status === status).length
  return `${of("running")} running, ${of("queued")} queued, ${of("requested")} requested`
}

export const status = (self: DaemonStatus): ReadonlyArray<string> => [
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
