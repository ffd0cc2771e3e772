/** Findings and runs for tests of alerts. */
import type { Finding, Message } from "../../src/runtime/automation/Alert.ts"
import type { Failure } from "../../src/runtime/run/Summary.ts"
import type { Run } from "../../src/runtime/store/RunStore.ts"

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/** `key` is made of the instant where it is left out. */
export const finding = (of: Partial<Finding> = {}): Finding => {
  const at = of.at ?? 0
  const state = of.state ?? "trouble"
  return {
    kind: "run_failed",
    incident: "run/schedule/weekly",
    state,
    severity: "error",
    title: state === "well" ? "schedule weekly succeeded" : "schedule weekly failed",
    lines: state === "well" ? [] : ["raw_bars: no answer"],
    command: `barograph run show r${at}`,
    at,
    key: `r${at}`,
    ...of
  }
}

export const run = (of: Partial<Run> = {}): Run => ({
  runId: "r1",
  status: "failed",
  request: {},
  tags: { automation: "schedule/weekly" },
  priority: 0,
  startedAt: 0,
  endedAt: HOUR,
  totals: {},
  why: undefined,
  runKey: undefined,
  attempt: 1,
  requestedAt: undefined,
  ...of
})

export const failure = (of: Partial<Failure> = {}): Failure => ({
  asset: "raw_bars",
  error: "no answer",
  tag: "MarketDataError",
  blocked: false,
  count: 1,
  partitions: ["symbol=IBM"],
  ...of
})

/** What a message says, in words that a test can compare. */
export const said = (message: Message): string =>
  message._tag === "Flood"
    ? `flood of ${message.flood.notices.length + message.flood.more}`
    : `${message.notice.change} ${message.notice.incident}${
      message.notice.count === 1 ? "" : ` x${message.notice.count}`
    }`
