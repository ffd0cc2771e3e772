/** Schedules, sensors, their ticks, and the daemon, as lines and as JSON. */
import type * as Sensor from "../../automation/Sensor.ts"
import * as Zone from "../../partition/Zone.ts"
import type { Tick } from "../../store/Tick.ts"
import * as Table from "./Table.ts"

export interface Row {
  readonly name: string
  readonly description: string
  /** Null where the definitions cannot be read. */
  readonly when: string | null
  readonly paused: boolean | null
  readonly next: string | null
  readonly failures: number
  readonly last: Tick | null
}

export const iso = (instant: number): string | null => Number.isFinite(instant) ? new Date(instant).toISOString() : null

/** `Sat 2024-03-02 06:00`, as the clocks of the zone say. */
export const local = (zone: Zone.Zone, instant: number): string => {
  const wall = new Date(Zone.toLocal(zone, instant))
  const day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][wall.getUTCDay()]!
  return `${day} ${wall.toISOString().slice(0, 16).replace("T", " ")}`
}

const minute = (text: string | null): string => text === null ? "-" : `${text.slice(0, 16).replace("T", " ")}Z`

const second = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")}Z`

const outcome = ({ outcome, runs, why }: Tick): string =>
  [outcome, ...runs, ...(why === undefined ? [] : [`(${why})`])].join(" ")

export const tickToJson = ({ at, due, why, ...tick }: Tick) => ({
  ...tick,
  due: iso(due),
  at: iso(at),
  why: why ?? null
})

export const rowToJson = ({ last, ...row }: Row) => ({ ...row, last: last === null ? null : tickToJson(last) })

export const list = (kind: string, rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows.length === 0 ? [`There is no ${kind}.`] : Table.render(
    [kind, "when", "next", "last tick", "what it is"],
    rows.map(({ description, last, name, next, paused, when }) => [
      name,
      when ?? "-",
      paused === true ? "paused" : minute(next),
      last === null ? "-" : `${second(last.at)} ${outcome(last)}`,
      description
    ])
  )

export const history = (ticks: ReadonlyArray<Tick>): ReadonlyArray<string> =>
  ticks.length === 0 ? ["No tick yet. Is a daemon running? barograph daemon status"] : Table.render(
    ["due", "evaluated", "times", "what became of it"],
    ticks.map((tick) => [second(tick.due), second(tick.at), String(tick.count), outcome(tick)])
  )

export const preview = (
  due: ReadonlyArray<
    { readonly schedule: string; readonly due: string | null; readonly local: string; readonly begins: string | null }
  >
): ReadonlyArray<string> =>
  due.length === 0 ? ["Nothing is due. Further ahead: --days 60"] : Table.render(
    ["schedule", "due", "local time", "begins"],
    due.map((one) => [one.schedule, minute(one.due), one.local, minute(one.begins)])
  )

export const found = (before: string | null, found: Sensor.Found): ReadonlyArray<string> => [
  `cursor ${before ?? "-"} -> ${found.cursor ?? before ?? "-"}`,
  ...Object.entries(found.members ?? {}).map(([set, members]) => `${set} gets ${members.length} members`),
  ...(found.runs ?? []).map(({ runKey, ...words }) => `run ${runKey} ${JSON.stringify(words)}`),
  ...(found.why === undefined ? [] : [found.why])
]
