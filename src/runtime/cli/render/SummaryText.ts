/** The end of a run: per asset what was done, and what went wrong. */
import { label } from "../../partition/PartitionKey.ts"
import type { Summary } from "../../run/Summary.ts"
import type { Application } from "../Application.ts"
import * as EventText from "./EventText.ts"
import * as Table from "./Table.ts"

const TOLD = 10

const count = (value: number | undefined): string => value === undefined ? "" : EventText.number(value)

const failures = (summary: Summary): ReadonlyArray<string> => {
  const told = summary.failures.slice(0, TOLD).map(({ asset, count, error, partitions }) => {
    const more = count > 1 ? ` and ${count - 1} more` : ""
    return `failed: ${asset} ${label(partitions[0] ?? "")}${more}: ${error}`
  })
  return summary.failures.length > TOLD ? [...told, `failed: ${summary.failures.length - TOLD} more`] : told
}

/** Blocking ones are among the failures. */
const failedChecks = (summary: Summary): ReadonlyArray<string> => {
  const others = summary.failedChecks.filter(({ blocking }) => !blocking)
  const told = others.slice(0, TOLD).map(({ asset, check, count, description, partitions, severity }) => {
    const more = count > 1 ? ` and ${count - 1} more` : ""
    return `check ${check} (${severity}): ${asset} ${label(partitions[0] ?? "")}${more}: ${description ?? "not passed"}`
  })
  return others.length > TOLD ? [...told, `check: ${others.length - TOLD} more`] : told
}

/** Where data went that this run made for others to read; what it read again itself is told by `asset show`. */
const places = (
  summary: Summary,
  { graph, locations = {} }: Pick<Application, "graph" | "locations">
): ReadonlyArray<string> => {
  const made = Object.entries(summary.assets).filter(([, { materialized }]) => materialized > 0).map(([asset]) => asset)
  return made.filter((asset) => !graph.downstream.get(asset)?.some((reader) => made.includes(reader)))
    .flatMap((asset) => locations[asset] === undefined ? [] : [`${asset} is in ${locations[asset]}`])
}

/** As JSON, where nothing was to be done: the members of a summary, and no run. */
export const nothing = (upToDate: Readonly<Record<string, number>>) => ({
  runId: null,
  status: "succeeded",
  assets: {},
  upToDate,
  failures: [],
  failedChecks: []
})

/** Numbers of outputs that are told where any asset has them. */
const NUMBERS = ["rows", "inserted", "unchanged", "restated", "removed", "deleted", "rejected", "bytes"]

/** What was done, per asset. */
export const table = (assets: Summary["assets"]): ReadonlyArray<string> => {
  const all = Object.entries(assets)
  const told = NUMBERS.filter((field) => all.some(([, { sums }]) => (sums[field] ?? 0) !== 0))
  return Table.render(
    ["asset", "materialized", "changed", "skipped", "failed", ...told, "seconds"],
    all.map(([asset, totals]) => [
      asset,
      count(totals.materialized),
      count(totals.changed),
      count(totals.skipped),
      count(totals.failed),
      ...told.map((field) => count(totals.sums[field])),
      totals.seconds.toFixed(2)
    ])
  )
}

/** What went wrong. */
export const problems = (summary: Summary): ReadonlyArray<string> => [
  ...failures(summary),
  ...(summary.why === undefined ? [] : [`the run ${summary.why}`]),
  ...failedChecks(summary)
]

export const render = (
  summary: Summary,
  application: Pick<Application, "graph" | "locations">
): ReadonlyArray<string> => [
  "",
  ...table(summary.assets),
  ...places(summary, application),
  ...problems(summary),
  `run ${summary.runId} ${summary.status} in ${summary.seconds.toFixed(2)} s`
]
