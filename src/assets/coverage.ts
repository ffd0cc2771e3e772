/** `coverage` [symbol x month]: which bars of regular hours are missing, session by session, in `derived.coverage`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Coverage from "../layers/bars/Coverage.ts"
import { DerivedStore } from "../layers/derived/DerivedStore.ts"
import { BarStore } from "../layers/staging/BarStore.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import * as Calendar from "../runtime/partition/Calendar.ts"
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import { month, symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"
import { stagedBars } from "./stagedBars.ts"
import { TradingCalendar } from "./TradingCalendar.ts"

const MINUTE = 60_000

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
        session: PartitionMapping.within("month")
      })
    },
    output: MonthCoverage,
    retry: whileRetryable,
    timeout: "5 minutes"
  },
  Effect.fn("coverage")(function*({ partition, staged }) {
    const calendar = yield* TradingCalendar
    const bars = yield* (yield* BarStore).read(staged.map((one) => one.partition))
    const rows = staged.map(({ output: { interval }, partition: { session, symbol } }, at) => {
      const width = Number.parseInt(interval, 10) * MINUTE
      const [opens, closes] = [Calendar.opensAt(calendar, session), Calendar.closesAt(calendar, session)]
      const measured = Coverage.measure(bars[at]!.ts, opens, closes, width)
      const longest = Coverage.longest(measured)
      return {
        symbol,
        session,
        interval,
        expected: measured.expected,
        present: measured.present,
        gaps: measured.gaps.length,
        longestGap: longest?.bars ?? 0,
        longestFrom: longest?.from ?? null
      }
    })
    yield* (yield* DerivedStore).putCoverage(partition.symbol, partition.month, rows)
    return total(rows)
  })
)

interface Row {
  readonly session: string
  readonly expected: number
  readonly present: number
  readonly longestGap: number
  readonly longestFrom: number | null
}

const total = (rows: ReadonlyArray<Row>): typeof MonthCoverage.Type => {
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0)
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
