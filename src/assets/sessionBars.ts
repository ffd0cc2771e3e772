/**
 * `session_bars` [symbol x session]: a session's regular hours as one bar, with VWAP, in table `derived.session_bars`. Where
 * the source sends weeks or months, the last session of each has the period's bar.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as BarInterval from "../layers/bars/BarInterval.ts"
import * as SessionSummary from "../layers/bars/SessionSummary.ts"
import { DerivedStore } from "../layers/derived/DerivedStore.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import { session, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"
import { TradingCalendar } from "./TradingCalendar.ts"

export const SessionBar = Schema.Struct({
  /** 0 where the session has no regular bar. */
  rows: Schema.Finite,
  /** Raw, of regular hours. */
  close: Schema.NullOr(Schema.Finite),
  contentHash: Schema.String
})

const hashOf = (summary: SessionSummary.SessionSummary | null): string =>
  Crypto.createHash("sha256").update(JSON.stringify(summary)).digest("hex").slice(0, 32)

/** A bar by date is the session's, whatever instant it bears. */
const regularHours = (calendar: Calendar.Calendar, session: string, interval: string): [from: number, to: number] =>
  BarInterval.isByDate(interval)
    ? [-Infinity, Infinity]
    : [Calendar.opensAt(calendar, session), Calendar.closesAt(calendar, session)]

export const sessionBars = Asset.make(
  "session_bars",
  {
    description: "A session's regular hours as one bar, with VWAP",
    group: "derived",
    kinds: ["postgres"],
    partitions: { symbol, session },
    deps: { staged: stagedBars },
    output: SessionBar,
    dataVersion: "contentHash",
    retry: whileRetryable,
    timeout: "5 minutes",
    batch: { max: 64, by: ({ symbol }: { readonly symbol: string }) => symbol }
  },
  Effect.fn("session_bars")(function*({ items }) {
    const calendar = yield* TradingCalendar
    const partitions = items.map(({ partition }) => partition)
    const staged = yield* (yield* BarStore).read(partitions)
    const summaries = items.map(({ partition, staged: { interval } }, at) =>
      SessionSummary.summarize(staged[at]!, ...regularHours(calendar, partition.session, interval)) ?? null
    )
    yield* (yield* DerivedStore).putSessionBars(
      partitions.map((partition, at) => ({ ...partition, summary: summaries[at]! }))
    )
    return summaries.map((summary) =>
      Result.succeed({ rows: summary === null ? 0 : 1, close: summary?.close ?? null, contentHash: hashOf(summary) })
    )
  })
)
