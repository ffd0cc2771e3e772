/** What a daemon would do, in the order of time, and what it would cost. */
import type * as Simulation from "../../automation/Simulation.ts"
import type * as Cost from "../../plan/Cost.ts"
import * as Table from "./Table.ts"

const minute = (instant: number): string => `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")}Z`

const counts = ({ materialized }: Simulation.SimulatedRun): string =>
  Object.entries(materialized).map(([asset, count]) => `${asset} ${count}`).join(", ")

const what = (one: Simulation.SimulatedRun): string => {
  const { run: { status, why } } = one
  if (status !== "succeeded") return `${status}${why === undefined ? "" : `: ${why}`}`
  const made = counts(one)
  return made === "" ? "nothing to do" : made
}

const by = ({ run }: Simulation.SimulatedRun): string => run.tags["automation"] ?? "-"

const rows = ({ idle, runs }: Simulation.Simulated) =>
  [
    ...runs.map((one) => ({ at: one.run.startedAt, cells: [minute(one.run.startedAt), by(one), what(one)] })),
    ...idle.filter(({ why }) => why !== "paused").map(({ at, name, outcome, why }) => ({
      at,
      cells: [minute(at), name, why === undefined ? outcome : `${outcome}: ${why}`]
    }))
  ].sort((a, b) => a.at - b.at).map(({ cells }) => cells)

const quotaLine = (pool: string, days: { readonly [date: string]: number }, limit: Cost.PoolLimit | undefined) => {
  const all = Object.entries(days)
  const total = all.reduce((sum, [, calls]) => sum + calls, 0)
  const [date, most] = all.reduce((most, day) => day[1] > most[1] ? day : most)
  const line = `${pool}: ${total} calls on ${all.length} days, most on ${date}: ${most}`
  if (limit?.perDay === undefined) return line
  return most > limit.perDay ? `${line}, more than the day's ${limit.perDay}` : `${line} of the day's ${limit.perDay}`
}

export const render = (
  self: Simulation.Simulated,
  pools: { readonly [pool: string]: Cost.PoolLimit }
): ReadonlyArray<string> => {
  const lines = rows(self)
  return [
    `From ${minute(self.from)} to ${minute(self.to)}, as if ${self.assumed} partitions that exist by now were there.`,
    ...(lines.length === 0 ? ["Nothing would be done."] : Table.render(["when", "asked for by", "what"], lines)),
    ...Object.entries(self.calls).map(([pool, days]) => quotaLine(pool, days, pools[pool]))
  ]
}

const iso = (instant: number): string => new Date(instant).toISOString()

export const toJson = ({ assumed, calls, from, idle, runs, to }: Simulation.Simulated) => ({
  from: iso(from),
  to: iso(to),
  assumed,
  runs: runs.map(({ materialized, run }) => ({
    automation: run.tags["automation"] ?? null,
    runKey: run.runKey,
    startedAt: iso(run.startedAt),
    status: run.status,
    materialized
  })),
  ticks: idle.map(({ at, due, name, outcome, why }) => ({
    name,
    due: iso(due),
    at: iso(at),
    outcome,
    why: why ?? null
  })),
  calls
})
