/**
 * `staged_bars` [symbol x session]: decoded, validated, deduplicated rows in PostgreSQL. The sessions of one month share
 * a call, because they share a payload. Rows that are refused are quarantined with their reason; nothing is lost.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as BarInterval from "../layers/bars/BarInterval.ts"
import * as Bars from "../layers/bars/Bars.ts"
import * as Quality from "../layers/bars/Quality.ts"
import * as Rule from "../layers/bars/Rule.ts"
import { type Decoded, MarketData } from "../layers/market-data/MarketData.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import { session, sessionFromMonth, symbol } from "./dimensions.ts"
import * as PeriodBars from "./periodBars.ts"
import { rawBars, type RawPayload, read as readPayload } from "./rawBars.ts"
import { whileRetryable } from "./retry.ts"
import { sessionBefore, sessionFacts } from "./sessionFacts.ts"
import { TradingCalendar } from "./TradingCalendar.ts"

export const StagedSession = Schema.Struct({
  source: Schema.String,
  interval: Schema.String,
  rows: Schema.Finite,
  inserted: Schema.Finite,
  /** Already there with the same values: skipped. */
  unchanged: Schema.Finite,
  /** Rows whose values the vendor changed; the old ones are in `staging.bar_history`. */
  restated: Schema.Finite,
  removed: Schema.Finite,
  rejected: Schema.Finite,
  /** How often each rule that only warns was broken; see `layers/bars/Rule.ts`. */
  warnings: Schema.Record(Schema.String, Schema.Finite),
  /**
   * An odd step to this session that a split may explain: the session before it, and the close there by the open here.
   * Whether it is one to warn of is decided when the check is asked, with the splits that are known then.
   */
  step: Schema.optionalKey(Schema.Struct({ after: Schema.String, ratio: Schema.Finite })),
  /** What the vendor's labels named. Those of the end of a bar were moved to its start. */
  labels: Schema.Literals(["start", "end"]),
  contentHash: Schema.String
})

/** Bars on a date without a session cannot be placed: they are refused, row by row. */
const strayBars = (decoded: Decoded, calendar: Calendar.Calendar): ReadonlyArray<Bars.Reject> => {
  const rejects: Array<Bars.Reject> = []
  for (const { bars, session } of decoded.sessions) {
    if (Calendar.isSession(calendar, session)) continue
    const reason = `${calendar.name} had no session on ${session}`
    for (let at = 0; at < bars.length; at++) rejects.push({ reason, raw: Quality.rowText(bars, at), ts: bars.ts[at]! })
  }
  return rejects
}

/** The rejects that belong to no session of the calendar. */
const unplaced = (decoded: Decoded, calendar: Calendar.Calendar): ReadonlyArray<Bars.Reject> => [
  ...decoded.rejects.filter(({ session }) => session === null || !Calendar.isSession(calendar, session)),
  ...strayBars(decoded, calendar)
]

/**
 * A payload by date holds the symbol's whole history and serves every month: what else is known by its date is the
 * affair of another month, which would quarantine it too.
 */
const ofMonth = (decoded: Decoded, month: string): Decoded => ({
  ...decoded,
  sessions: decoded.sessions.filter(({ session }) => session.startsWith(month)),
  rejects: decoded.rejects.filter(({ session }) => session === null || session.startsWith(month))
})

/** Bars of a week or a month go under the last session of it. */
const inPeriods = (
  decoded: Decoded,
  calendar: Calendar.Calendar,
  { fetchedAt, interval }: typeof RawPayload.Type,
  rules: Rule.Rules
): Decoded => {
  const period = BarInterval.periodOf(interval)
  if (period === undefined) return decoded
  return PeriodBars.place(decoded, { calendar, period, fetchedAt: Date.parse(fetchedAt), rules })
}

const stepOf = (decoded: Decoded, session: string, ratio: number | undefined) => {
  const before = sessionBefore(decoded, session)
  return ratio === undefined || before === undefined ? {} : { step: { after: before.session, ratio } }
}

/** A session of the payload, judged by the rules. */
const pick = (
  calendar: Calendar.Calendar,
  decoded: Decoded,
  session: string,
  raw: typeof RawPayload.Type,
  rules: Rule.Rules
) => {
  const bars = decoded.sessions.find((one) => one.session === session)?.bars ?? Bars.empty
  const judged = Quality.judge(bars, sessionFacts(calendar, decoded, session, raw), rules)
  const unreadable = decoded.rejects.filter((reject) => reject.session === session)
  return { session, ...judged, rejects: [...unreadable, ...judged.rejects] }
}

const withRestated = (warnings: Quality.Warnings, restated: number, rules: Rule.Rules): Quality.Warnings =>
  restated > 0 && rules.has("restated") ? { ...warnings, restated } : warnings

export const stagedBars = Asset.make(
  "staged_bars",
  {
    description: "Validated, typed, deduplicated bars of a session",
    group: "bars",
    kinds: ["postgres"],
    partitions: { symbol, session },
    deps: { raw: Asset.mapped(rawBars, sessionFromMonth) },
    output: StagedSession,
    dataVersion: "contentHash",
    // Other rules may refuse or let pass other rows: payloads are read again.
    codeVersion: Effect.map(Rule.Active, (rules) => `3 ${Rule.fingerprint(rules)}`),
    retry: whileRetryable,
    timeout: "5 minutes",
    batch: {
      max: 31,
      by: ({ session, symbol }: { readonly symbol: string; readonly session: string }) =>
        `${symbol}/${session.slice(0, 7)}`
    }
  },
  Effect.fn("staged_bars")(function*({ items }) {
    const source = yield* MarketData
    const store = yield* BarStore
    const { partition, raw } = items[0]!
    const calendar = yield* TradingCalendar
    const rules = yield* Rule.Active
    const month = partition.session.slice(0, 7)
    const payload = source.decode(raw.format, yield* readPayload(raw, { symbol: partition.symbol, month }))
    const decoded = inPeriods(payload, calendar, raw, rules)
    const lost = unplaced(BarInterval.isByDate(raw.interval) ? ofMonth(decoded, month) : decoded, calendar)
    const sessions = items.map((item) => pick(calendar, decoded, item.partition.session, raw, rules))
    const staged = yield* store.stage({
      source: raw.source,
      symbol: partition.symbol,
      interval: raw.interval,
      month,
      payload: raw.key,
      complete: decoded.complete,
      sessions,
      unplaced: lost
    })
    return staged.map(({ session: _, ...counts }, at) =>
      Result.succeed({
        source: raw.source,
        interval: raw.interval,
        ...counts,
        rejected: counts.rejected + (at === 0 ? lost.length : 0),
        warnings: withRestated(sessions[at]!.warnings, counts.restated, rules),
        ...stepOf(decoded, sessions[at]!.session, sessions[at]!.step),
        labels: decoded.labels ?? "start"
      })
    )
  })
)
