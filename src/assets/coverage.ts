/** `coverage` [symbol x month]: which bars of regular hours are missing, session by session, in `derived.coverage`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as BarInterval from "../layers/bars/BarInterval.ts"
import type { Bars } from "../layers/bars/Bars.ts"
import * as Coverage from "../layers/bars/Coverage.ts"
import { DerivedStore, type SessionCoverage } from "../layers/derived/DerivedStore.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { month, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"
import { TradingCalendar } from "./TradingCalendar.ts"

export const MonthCoverage = Schema.Struct({
  sessions: Schema.Finite,
  /** Sessions without a single bar. */
  empty: Schema.Finite,
  expected: Schema.Finite,
  present: Schema.Finite,
  missing: Schema.Finite,
  /** The longest run of missing bars. */
  longestGap: Schema.NullOr(Schema.Struct({ session: Schema.String, from: Schema.String, bars: Schema.Finite }))
})

export const coverage = Asset.make(
  "coverage",
  {
    description: "Missing bars of a month, against the calendar",
    group: "derived",
    kinds: ["postgres"],
    partitions: { symbol, month },
    deps: {
      staged: Asset.mapped(stagedBars, {
        symbol: PartitionMapping.from("symbol"),
        session: PartitionMapping.overlapping("month", { missing: "skip" })
      })
    },
    output: MonthCoverage,
    retry: whileRetryable,
    timeout: "5 minutes"
  },
  Effect.fn("coverage")(function*({ partition, staged }) {
    const calendar = yield* TradingCalendar
    const bars = yield* (yield* BarStore).read(staged.map((one) => one.partition))
    const rows = staged.map((one, at) => measured(calendar, one.partition, one.output.interval, bars[at]!))
    yield* (yield* DerivedStore).putCoverage(partition.symbol, partition.month, rows)
    return total(rows)
  })
)

const measured = (
  calendar: Calendar.Calendar,
  partition: { readonly symbol: string; readonly session: string },
  interval: string,
  { length, ts }: Bars
): SessionCoverage => {
  const [opens, closes] = [
    Calendar.opensAt(calendar, partition.session),
    Calendar.closesAt(calendar, partition.session)
  ]
  // A session has one bar by date, whatever instant it bears; the last one of a week has the week's.
  const found = BarInterval.isByDate(interval)
    ? { expected: 1, present: Math.min(1, length), gaps: length === 0 ? [{ from: opens, bars: 1 }] : [] }
    : Coverage.measure(ts, opens, closes, BarInterval.widthOf(interval))
  const longest = Coverage.longest(found)
  return {
    ...partition,
    interval,
    expected: found.expected,
    present: found.present,
    gaps: found.gaps.length,
    longestGap: longest?.bars ?? 0,
    longestFrom: longest?.from ?? null
  }
}

const total = (rows: ReadonlyArray<SessionCoverage>): typeof MonthCoverage.Type => {
  const sum = (of: (row: SessionCoverage) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const worst = rows.toSorted((a, b) => b.longestGap - a.longestGap)[0]
  return {
    sessions: rows.length,
    empty: rows.filter(({ present }) => present === 0).length,
    expected: sum(({ expected }) => expected),
    present: sum(({ present }) => present),
    missing: sum(({ expected, present }) => expected - present),
    longestGap: worst === undefined || worst.longestFrom === null
      ? null
      : { session: worst.session, from: new Date(worst.longestFrom).toISOString(), bars: worst.longestGap }
  }
}
