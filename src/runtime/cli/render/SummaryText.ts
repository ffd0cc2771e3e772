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

export const render = (
  summary: Summary,
  application: Pick<Application, "graph" | "locations">
): ReadonlyArray<string> => {
  const rows = Object.entries(summary.assets).map(([asset, totals]) => [
    asset,
    count(totals.materialized),
    count(totals.changed),
    count(totals.skipped),
    count(totals.failed),
    count(totals.sums["rows"]),
    count(totals.sums["restated"]),
    count(totals.sums["removed"]),
    count(totals.sums["rejected"]),
    count(totals.sums["bytes"]),
    totals.seconds.toFixed(2)
  ])
  return [
    "",
    ...Table.render([
      "asset",
      "materialized",
      "changed",
      "skipped",
      "failed",
      "rows",
      "restated",
      "removed",
      "rejected",
      "bytes",
      "seconds"
    ], rows),
    ...places(summary, application),
    ...failures(summary),
    ...(summary.why === undefined ? [] : [`the run ${summary.why}`]),
    ...failedChecks(summary),
    `run ${summary.runId} ${summary.status} in ${summary.seconds.toFixed(2)} s`
  ]
}
