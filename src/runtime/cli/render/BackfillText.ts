/** What backfills say to a person. */
import { label } from "../../partition/PartitionKey.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import type { Slice as NewSlice } from "../../plan/Slices.ts"
import type { Failure } from "../../run/Summary.ts"
import type { Backfill, BackfillRequest, Slice } from "../../store/BackfillStore.ts"
import * as EventText from "./EventText.ts"
import * as Table from "./Table.ts"

export interface Standing {
  readonly backfill: Backfill
  readonly slices: ReadonlyArray<Slice>
  readonly failures: ReadonlyArray<Failure>
}

/** So many failures, and partitions of each, are told; `--json` has all that are kept. */
const TOLD = 10
const NAMED = 3

/** A set of many runs would fill the screen. */
const LONGEST = 60

const { counted, number } = EventText

const short = (text: string): string => text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text

const time = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19).replace("T", " ")}Z`

/** `820 of 2,000 partitions (41 %), 3 failed`. */
export const progress = ({ done, failed, partitions }: Backfill): string => {
  const share = partitions === 0 ? 100 : Math.floor(done / partitions * 100)
  const bad = failed === 0 ? "" : `, ${number(failed)} failed`
  return `${number(done)} of ${counted(partitions, "partition")} (${share} %)${bad}`
}

const asked = ({ ancestors, assets, force, only, partition, select }: BackfillRequest): string =>
  [
    ancestors ? `--asset ${assets.join(",")}` : `--select ${JSON.stringify(select)}`,
    partition === null ? "" : `--partition ${partition}`,
    only === "all" ? "" : `--only ${only}`,
    force ? "--force" : ""
  ].filter((part) => part !== "").join(" ")

const failures = (found: ReadonlyArray<Failure>): ReadonlyArray<string> => {
  const told = found.slice(0, TOLD).map(({ asset, blocked, count, error, partitions }) => {
    const named = partitions.slice(0, NAMED).map((text) => short(label(text))).join("; ")
    const more = count > NAMED ? "; …" : ""
    return `${blocked ? "blocked" : "failed"}: ${asset}, ${counted(count, "partition")}: ${error} (${named}${more})`
  })
  return found.length > TOLD ? [...told, `failed: ${found.length - TOLD} more messages`] : told
}

const runningSlices = (slices: ReadonlyArray<Slice>): ReadonlyArray<string> => {
  const running = slices.filter(({ status }) => status === "running")
  if (running.length === 0) return []
  return Table.render(
    ["running slice", "asset", "partitions", "done", "of", "run"],
    running.map(({ asset, count, done, partitions, position, runId }) => [
      `${position + 1}`,
      asset,
      short(partitions),
      number(done),
      number(count),
      runId ?? "planning"
    ])
  )
}

/** Who can go on with it, when nobody does. */
const idle = ({ backfill: { backfillId, status }, slices }: Standing): ReadonlyArray<string> => {
  if (status === "succeeded" || slices.some((slice) => slice.status === "running")) return []
  const why = status === "requested" || status === "running" ? "nobody works on it" : `it ${was(status)}`
  return [`${why}: barograph backfill resume ${backfillId}`]
}

const was = (status: string): string => status === "canceled" ? "was canceled" : status

export const show = (found: Standing): ReadonlyArray<string> => {
  const { backfill } = found
  return [
    `${backfill.backfillId}  ${backfill.status}  ${time(backfill.createdAt)}`,
    `  asked for ${asked(backfill.request)}`,
    `  ${progress(backfill)}; ${number(backfill.over)} of ${counted(backfill.slices, "slice")} over`,
    ...runningSlices(found.slices),
    ...failures(found.failures),
    ...idle(found)
  ]
}

/** The end of the work of this process. */
export const ended = ({ backfill, failures: found }: Standing): ReadonlyArray<string> => [
  ...failures(found),
  `backfill ${backfill.backfillId} ${was(backfill.status)}: ${progress(backfill)}`
]

export const stored = (backfill: Backfill): ReadonlyArray<string> => [
  `backfill ${backfill.backfillId} is stored: ${counted(backfill.partitions, "partition")} in ${
    counted(backfill.slices, "slice")
  }`,
  `work on it: barograph backfill resume ${backfill.backfillId}`
]

export const canceled = (backfill: Backfill): ReadonlyArray<string> => [
  `Backfill ${backfill.backfillId} is canceled, its runs stop; ${progress(backfill)} done and kept.`
]

export const list = (found: ReadonlyArray<Backfill>): ReadonlyArray<string> =>
  found.length === 0
    ? ["No backfill yet. Start one: barograph backfill start --asset NAME"]
    : Table.render(
      ["backfill", "status", "started", "partitions", "done", "failed", "slices", "asked for"],
      found.map((one) => [
        one.backfillId,
        one.status,
        time(one.createdAt),
        number(one.partitions),
        number(one.done),
        number(one.failed),
        `${one.over}/${one.slices}`,
        short(asked(one.request))
      ])
    )

/** What a plan would be cut into. */
export const slices = (cut: ReadonlyArray<NewSlice>): ReadonlyArray<string> => {
  if (cut.length === 0) return []
  const partitions = cut.reduce((sum, { set }) => sum + PartitionSet.size(set), 0)
  const stages = new Set(cut.map(({ stage }) => stage)).size
  const order = stages === 1 ? "" : ` in ${stages} stages, one after the other`
  return [`${counted(cut.length, "slice")} of ${counted(partitions, "partition")} in all${order}`]
}

export const slicesToJson = (cut: ReadonlyArray<NewSlice>) =>
  cut.map(({ asset, set, stage }) => ({
    stage,
    asset,
    partitions: PartitionSet.toText(set),
    count: PartitionSet.size(set)
  }))
