/**
 * What needs a person, of all that ends well or badly. Pure: each function makes findings of something that happened; all of
 * it may be observed again. A run that nobody's automation asked for makes none of its own: whoever started it sees its end.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Freshness from "../asset/Freshness.ts"
import { RunRequest } from "../plan/RunRequest.ts"
import type { Failure } from "../run/Summary.ts"
import type { Backfill } from "../store/BackfillStore.ts"
import type { Run } from "../store/RunStore.ts"
import type { Finding } from "./Alert.ts"

export interface Policy {
  /** The number in outputs that counts refused rows. */
  readonly rejectedField: string
  /** More refused rows of an asset in one run are told. */
  readonly quarantineThreshold: number
  /** Tags of errors, or of their reasons, that mean that a quota is spent. */
  readonly quotaReasons: ReadonlyArray<string>
}

export const standard: Policy = { rejectedField: "rejected", quarantineThreshold: 100, quotaReasons: [] }

/** A run that has ended. */
export interface Ended {
  readonly run: Run
  readonly failures: ReadonlyArray<Failure>
  /** It will be resumed or retried by itself: its failure needs nobody yet. */
  readonly again: boolean
}

const Totals = Schema.Record(
  Schema.String,
  Schema.Struct({ materialized: Schema.Finite, sums: Schema.Record(Schema.String, Schema.Finite) })
)

/** Of a run whose process died there are none. */
const totalsOf = (run: Run): typeof Totals.Type =>
  Option.getOrElse(Schema.decodeUnknownOption(Totals)(run.totals), () => ({}))

/** `schedule/weekly` as a person says it. */
const words = (automation: string): string => automation.replace("/", " ")

const isQuota = ({ reason, tag }: Failure, { quotaReasons }: Policy): boolean =>
  quotaReasons.some((name) => name === tag || name === reason)

/** A failure, or the blocked partitions of an asset, in a line. */
const failureLine = ({ asset, blocked, count, error, partitions }: Failure): string => {
  const [first] = partitions
  const which = count === 1 ? (first ?? "") : `${count} partitions`
  const where = which === "" ? asset : `${asset} (${which})`
  return blocked ? `${where} ${error}` : `${where}: ${error}`
}

/** What failed says more than what was blocked by it. */
const failureLines = (failures: ReadonlyArray<Failure>): ReadonlyArray<string> =>
  failures.toSorted((a, b) => Number(a.blocked) - Number(b.blocked)).map(failureLine)

const ENDS = { failed: "failed", interrupted: "was cut off" } as const

/** What became of that which one automation asked for. */
interface Part extends Pick<Ended, "failures"> {
  readonly automation: string
  readonly status: Run["status"]
}

const decodeRequest = Schema.decodeUnknownOption(RunRequest)

/** Conditions that ask at once have one run, and an incident each: the next run of one may be another's too, or not. */
const conditionParts = (failures: ReadonlyArray<Failure>, assets: ReadonlyArray<string>): ReadonlyArray<Part> => {
  const isToldAll = failures.every(({ blocked }) => blocked)
  return assets.flatMap((asset): ReadonlyArray<Part> => {
    const own = failures.filter((failure) => failure.asset === asset)
    const automation = `condition/${asset}`
    if (own.length === 0) return [{ automation, status: "succeeded", failures: [] }]
    // What was blocked by one that failed is told with that one.
    return isToldAll || own.some(({ blocked }) => !blocked) ? [{ automation, status: "failed", failures: own }] : []
  })
}

const parts = ({ failures, run: { request, status, tags, why } }: Ended): ReadonlyArray<Part> => {
  const { automation } = tags
  if (automation === undefined || tags["backfill"] !== undefined) return []
  const targets = Option.getOrUndefined(decodeRequest(request))?.targets ?? []
  const isWhole = why !== undefined || (status !== "succeeded" && status !== "failed")
  return isWhole || !automation.startsWith("condition/") || targets.length < 2
    ? [{ automation, status, failures }]
    : conditionParts(failures, targets.map(({ asset }) => asset))
}

const outcome = (
  { again, run }: Ended,
  { automation, failures, status }: Part,
  policy: Policy
): ReadonlyArray<Finding> => {
  const about = {
    kind: "run_failed" as const,
    incident: `run/${automation}`,
    command: `barograph run show ${run.runId}`,
    at: run.endedAt ?? run.startedAt,
    key: run.runId,
    severity: "error" as const
  }
  if (status === "succeeded") {
    return [{ ...about, state: "well", title: `${words(automation)} succeeded`, lines: [] }]
  }
  if (again || (status !== "failed" && status !== "interrupted")) return []
  // All that failed is told as the quota's incident, whose end is the end of this one too.
  const tried = failures.filter(({ blocked }) => !blocked)
  if (tried.length > 0 && tried.every((failure) => isQuota(failure, policy))) return []
  const lines = [...(run.why === undefined ? [] : [run.why]), ...failureLines(failures)]
  return [{ ...about, state: "trouble", title: `${words(automation)} ${ENDS[status]}`, lines }]
}

/** The quota of an asset is there again when the asset is materialized. */
const quotas = ({ failures, run }: Ended, policy: Policy): ReadonlyArray<Finding> => {
  const about = (asset: string) => ({
    kind: "quota_exhausted" as const,
    incident: `quota/${asset}`,
    command: `barograph run show ${run.runId}`,
    at: run.endedAt ?? run.startedAt,
    key: run.runId,
    severity: "warn" as const
  })
  const spent = Map.groupBy(failures.filter((failure) => isQuota(failure, policy)), ({ asset }) => asset)
  const back = Object.entries(totalsOf(run)).filter(([asset, { materialized }]) =>
    materialized > 0 && !spent.has(asset)
  )
  return [
    ...[...spent].map(([asset, own]): Finding => ({
      ...about(asset),
      state: "trouble",
      title: `${asset}: the quota is spent`,
      lines: failureLines(own)
    })),
    ...back.map(([asset]): Finding => ({
      ...about(asset),
      state: "well",
      title: `${asset}: there is quota again`,
      lines: []
    }))
  ]
}

const quarantines = ({ run }: Ended, { quarantineThreshold, rejectedField }: Policy): ReadonlyArray<Finding> =>
  Object.entries(totalsOf(run)).flatMap(([asset, { materialized, sums }]): ReadonlyArray<Finding> => {
    const rejected = sums[rejectedField]
    if (rejected === undefined || materialized === 0) return []
    const about = {
      kind: "quarantine" as const,
      incident: `quarantine/${asset}`,
      severity: "warn" as const,
      at: run.endedAt ?? run.startedAt,
      key: run.runId,
      command: "barograph quarantine list"
    }
    return rejected > quarantineThreshold
      ? [{
        ...about,
        state: "trouble",
        title: `${asset}: ${rejected} rows were refused`,
        lines: [`run ${run.runId}; more than ${quarantineThreshold} are told`]
      }]
      : [{
        ...about,
        state: "well",
        title: `${asset}: rows pass again`,
        lines: ["those that were refused are still in quarantine"]
      }]
  })

/** A run that has ended, whoever asked for it. */
export const ofRun = (ended: Ended, policy: Policy): ReadonlyArray<Finding> =>
  ended.run.endedAt === undefined
    ? []
    : [
      ...parts(ended).flatMap((part) => outcome(ended, part, policy)),
      ...quotas(ended, policy),
      ...quarantines(ended, policy)
    ]

const BACKFILL = "backfill/"

/** The backfill that the incident is about, if it is about one. */
export const backfillOf = (incident: string): string | undefined =>
  incident.startsWith(BACKFILL) ? incident.slice(BACKFILL.length) : undefined

/** A backfill that has ended: its runs, of which some hundred may fail, are told as one. */
export const ofBackfill = (
  { backfillId, createdAt, endedAt, failed, partitions, status }: Backfill
): ReadonlyArray<Finding> => {
  if (endedAt === undefined) return []
  const about = {
    kind: "backfill_failed" as const,
    incident: `${BACKFILL}${backfillId}`,
    severity: "error" as const,
    command: `barograph backfill show ${backfillId}`,
    at: endedAt,
    key: `${status}/${endedAt}`
  }
  return status === "failed"
    ? [{
      ...about,
      state: "trouble",
      title: `backfill ${backfillId} failed`,
      lines: [`${failed} of ${partitions} partitions, stored ${new Date(createdAt).toISOString().slice(0, 10)}`]
    }]
    : [{ ...about, state: "well", title: `backfill ${backfillId} ${status}`, lines: [] }]
}

const aboutFreshness = (asset: string, sentence: string, at: number, key: string) => ({
  kind: "freshness" as const,
  incident: `freshness/${asset}`,
  severity: "error" as const,
  command: `barograph asset show ${asset}`,
  lines: [sentence],
  at,
  key
})

/** How an asset stands by its freshness policy; asking again and again makes no difference. */
export const ofFreshness = (
  asset: string,
  { sentence, status }: Pick<Freshness.Standing, "sentence" | "status">,
  at: number
): ReadonlyArray<Finding> => {
  if (status === "unknown") return []
  const about = aboutFreshness(asset, sentence, at, `${status}: ${sentence}`)
  return [
    status === "fresh"
      ? { ...about, state: "well", title: `${asset} is fresh` }
      : status === "warn"
      ? { ...about, state: "trouble", severity: "warn", title: `${asset} will soon be overdue` }
      : { ...about, state: "trouble", title: `${asset} is overdue` }
  ]
}

/** An asset that had a freshness policy and has none any more, so that nothing would ever make it fresh. */
export const ofNoFreshness = (asset: string, sentence: string, at: number): ReadonlyArray<Finding> => [
  { ...aboutFreshness(asset, sentence, at, `${at}`), state: "well", title: `${asset} is not looked at any more` }
]

/** A look of a schedule, a sensor or a condition that came to an end. */
export interface Tick {
  readonly kind: "schedule" | "sensor" | "condition"
  readonly name: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Why it failed; undefined when it did not. */
  readonly error: string | undefined
}

/** A sensor looks every minute or so: one or two looks that fail mend themselves. */
const SENSOR_PATIENCE = 3

const CONDITION = "tick/condition/"

/** The asset whose condition the incident is about, if it is about one. */
export const conditionOf = (incident: string): string | undefined =>
  incident.startsWith(CONDITION) ? incident.slice(CONDITION.length) : undefined

export const ofTick = ({ at, error, kind, name }: Tick): ReadonlyArray<Finding> => {
  const about = {
    kind: "tick_failed" as const,
    incident: `tick/${kind}/${name}`,
    severity: "error" as const,
    command: kind === "condition" ? `barograph asset why ${name}` : `barograph ${kind} list`,
    at,
    key: `${at}`,
    patience: kind === "sensor" ? SENSOR_PATIENCE : 1
  }
  return [
    error === undefined
      ? { ...about, state: "well", title: `${kind} ${name} works again`, lines: [] }
      : { ...about, state: "trouble", title: `${kind} ${name} does not work`, lines: [error] }
  ]
}

/** What the definitions declare: `schedule/weekly`, `sensor/new_symbols`, `condition/bars` among the automations. */
export interface Declared {
  readonly automations: ReadonlySet<string>
  readonly assets: ReadonlySet<string>
}

const isDeclared = (incident: string, { assets, automations }: Declared): boolean => {
  const [, kind, name] = /^(\w+)\/(.+)$/.exec(incident) ?? []
  if (kind === "run" || kind === "tick") return automations.has(name!)
  return (kind !== "quota" && kind !== "quarantine") || assets.has(name!)
}

/** Of these incidents those that are about something which is not declared any more. */
export const ofUndeclared = (
  incidents: ReadonlyArray<Pick<Finding, "kind" | "incident" | "severity">>,
  declared: Declared,
  at: number
): ReadonlyArray<Finding> =>
  incidents.filter(({ incident }) => !isDeclared(incident, declared)).map(({ incident, kind, severity }) => ({
    kind,
    incident,
    severity,
    state: "well",
    title: `${words(incident.slice(incident.indexOf("/") + 1))} is not declared any more`,
    lines: [],
    command: "barograph check",
    at,
    key: `${at}`
  }))

/** The definitions were read again; `error` says why they could not be, and the last good graph goes on. */
export const ofDefinitions = (at: number, error: string | undefined): ReadonlyArray<Finding> => {
  const about = {
    kind: "definitions_broken" as const,
    incident: "definitions",
    severity: "error" as const,
    command: "barograph check",
    at,
    key: error ?? `${at}`
  }
  return [
    error === undefined
      ? { ...about, state: "well", title: "the definitions can be read again", lines: [] }
      : {
        ...about,
        state: "trouble",
        title: "the definitions cannot be read",
        lines: [error, "the daemon goes on with the last good ones"]
      }
  ]
}

/** Another daemon leads, because the one before it was gone without having said so. */
export const ofTakeover = (at: number, term: number, leader: string): ReadonlyArray<Finding> => [{
  kind: "takeover",
  incident: "daemon/takeover",
  state: "event",
  severity: "info",
  title: `${leader} leads now`,
  lines: ["the daemon that led before was gone"],
  command: "barograph daemon status",
  at,
  key: `${term}`
}]
