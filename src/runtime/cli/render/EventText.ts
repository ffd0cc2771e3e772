/** One line for an event. */
import { label } from "../../partition/PartitionKey.ts"
import type { Event, StepResult } from "../../run/Event.ts"
import { addNumbers } from "../../run/Summary.ts"

/** 12345 -> 12,345. */
export const number = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString("en-US") : value.toLocaleString("en-US", { maximumFractionDigits: 2 })

export const counted = (count: number, noun: string): string => `${number(count)} ${noun}${count === 1 ? "" : "s"}`

const some = (partitions: ReadonlyArray<string>): string =>
  partitions.length === 1 ? label(partitions[0]!) : `${label(partitions[0] ?? "")} and ${partitions.length - 1} more`

const SHOWN = ["rows", "inserted", "restated", "removed", "deleted", "rejected", "bytes"]

/** The numbers that were recorded and are not zero, in a fixed order. */
export const numbers = (sums: { readonly [field: string]: number }): string =>
  SHOWN.filter((field) => (sums[field] ?? 0) !== 0).map((field) => `${number(sums[field]!)} ${field}`).join(", ")

const sumOf = (results: ReadonlyArray<StepResult>): { readonly [field: string]: number } => {
  const sums: { [field: string]: number } = {}
  for (const { output } of results) addNumbers(sums, output)
  return sums
}

/** What a check says of the partitions that it names; of those that did not pass, when there are any. */
const checkedText = ({ asset, results }: Event & { readonly type: "Checked" }): string => {
  const failed = results.filter(({ passed }) => !passed)
  if (failed.length === 0) return `${asset}: ${counted(results.length, "check")} passed`
  const checks = [...new Set(failed.map(({ check }) => check))]
  return checks.map((check) => {
    const own = failed.filter((one) => one.check === check)
    return `${asset}: check ${check} (${own[0]!.severity}) not passed by ${
      some(own.map(({ partition }) => partition))
    }: ${own[0]!.description ?? ""}`
  }).join("; ")
}

/** Not worth a line while a run goes on: what is said again when it ends. */
export const isQuiet = (event: Event): boolean =>
  event.type === "StepStarted" || event.type === "Checked" && event.results.every(({ passed }) => passed)

export const render = (event: Event): string => {
  switch (event.type) {
    case "RunStarted":
      return `run started: ${counted(event.partitions, "partition")}`
    case "Blocked":
      return `${event.asset}: ${counted(event.count, "partition")} blocked, ${some(event.partitions)}: ${event.error}`
    case "StepStarted":
      return `${event.asset}: started ${counted(event.partitions, "partition")}`
    case "StepRetrying":
      return `${event.asset}: try ${event.attempt} failed, trying again: ${event.error}`
    case "Materialized": {
      const found = numbers(sumOf(event.results))
      const texts = event.results.map(({ partition }) => partition)
      return `${event.asset}: materialized ${some(texts)}${found === "" ? "" : `: ${found}`} (${
        event.seconds.toFixed(2)
      } s)`
    }
    case "Checked":
      return checkedText(event)
    case "Skipped":
      return `${event.asset}: skipped ${some(event.partitions)}: ${event.why}`
    case "Failed":
      return `${event.asset}: failed ${some(event.partitions)}: ${event.error}`
    case "RunQueued":
      return "waiting for its turn: other runs go first"
    case "RunEnded":
      return event.why === undefined ? `run ${event.status}` : `run ${event.status}: ${event.why}`
  }
}
