/** What every `BarStore` does. Each test has a symbol of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { contentHash, empty, type Reject, type SessionBars } from "../../../src/layers/bars/Bars.ts"
import { BarStore, type StagedSession, type StageRequest } from "../../../src/layers/staging/BarStore.ts"
import * as TestBars from "../../support/TestBars.ts"

/** The tables that the service itself does not show. */
export class Tables extends Context.Service<Tables, {
  readonly history: (symbol: string) => Effect.Effect<
    ReadonlyArray<
      {
        readonly ts: number
        readonly change: string
        readonly close: number
        readonly session: string
        readonly payload: string
      }
    >
  >
  readonly quarantined: (symbol: string) => Effect.Effect<
    ReadonlyArray<
      { readonly session: string | null; readonly ts: number | null; readonly reason: string; readonly raw: string }
    >
  >
  readonly sources: (symbol: string) => Effect.Effect<ReadonlyArray<string>>
}>()("test/staging/Tables") {}

const day = "2024-03-05"
const next = "2024-03-06"

const request = (
  symbol: string,
  sessions: ReadonlyArray<SessionBars & { readonly rejects?: ReadonlyArray<Reject> }>,
  rest: Partial<Omit<StageRequest, "symbol" | "sessions">> = {}
): StageRequest => ({
  source: "test",
  symbol,
  interval: "1min",
  month: "2024-03",
  payload: `raw/${symbol}.gz`,
  complete: true,
  unplaced: [],
  ...rest,
  sessions: sessions.map(({ bars, rejects = [], session }) => ({ session, bars, rejects }))
})

const stage = (...args: Parameters<typeof request>) =>
  Effect.flatMap(BarStore, (store) => store.stage(request(...args)))

const read = (symbol: string, session: string) =>
  Effect.flatMap(BarStore, (store) => Effect.map(store.read([{ symbol, session }]), ([bars]) => bars!))

const counts = ({ inserted, rejected, removed, restated, rows, unchanged }: StagedSession) => ({
  rows,
  inserted,
  unchanged,
  restated,
  removed,
  rejected
})

const none = { rows: 0, inserted: 0, unchanged: 0, restated: 0, removed: 0, rejected: 0 }

const reject = (raw: string, ts: number | null = null): Reject => ({ reason: `bad: ${raw}`, raw, ts })

export const suite = <E>(name: string, services: Layer.Layer<BarStore | Tables, E>): void =>
  layer(services, { timeout: "60 seconds" })(name, (it) => {
    it.effect("a session that is not staged yet is inserted and read back bit by bit", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 390)
        const [staged] = yield* stage("FRESH", [{ session: day, bars }])
        expect(staged).toEqual({ session: day, ...none, rows: 390, inserted: 390, contentHash: contentHash(bars) })
        expect(yield* read("FRESH", day)).toEqual(bars)
      }))

    it.effect("staging the same again changes nothing", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 50)
        yield* stage("SAME", [{ session: day, bars }])
        const [staged] = yield* stage("SAME", [{ session: day, bars }])
        expect(counts(staged!)).toEqual({ ...none, rows: 50, unchanged: 50 })
        expect(yield* (yield* Tables).history("SAME")).toEqual([])
      }))

    it.effect("a changed price is a restatement, and the old row goes to the history", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 50)
        const restated = TestBars.withClose(bars, 7, 99.5)
        yield* stage("RESTATED", [{ session: day, bars }])
        const [staged] = yield* stage("RESTATED", [{ session: day, bars: restated }], { payload: "raw/second" })
        expect(counts(staged!)).toEqual({ ...none, rows: 50, unchanged: 49, restated: 1 })
        expect(staged!.contentHash).toBe(contentHash(yield* read("RESTATED", day)))
        expect(yield* (yield* Tables).history("RESTATED")).toEqual([
          { ts: bars.ts[7], change: "restated", close: bars.close[7], session: day, payload: "raw/second" }
        ])
      }))

    it.effect("a row that the payload no longer has is removed", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 50)
        yield* stage("REMOVED", [{ session: day, bars }, { session: next, bars: TestBars.make(next, 3) }])
        const [staged] = yield* stage("REMOVED", [{ session: day, bars: TestBars.filter(bars, (at) => at !== 20) }])
        expect(counts(staged!)).toEqual({ ...none, rows: 49, unchanged: 49, removed: 1 })
        expect(yield* (yield* Tables).history("REMOVED")).toMatchObject([{ ts: bars.ts[20], change: "removed" }])
        expect((yield* read("REMOVED", next)).length).toBe(3)
      }))

    it.effect("a session without bars empties what was staged", () =>
      Effect.gen(function*() {
        yield* stage("EMPTIED", [{ session: day, bars: TestBars.make(day, 5) }])
        const [staged] = yield* stage("EMPTIED", [{ session: day, bars: empty }])
        expect(staged).toEqual({ session: day, ...none, removed: 5, contentHash: contentHash(empty) })
        expect((yield* read("EMPTIED", day)).length).toBe(0)
      }))

    it.effect("a cut-off payload adds and restates rows and removes none", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 50)
        yield* stage("CUT", [{ session: day, bars: TestBars.filter(bars, (at) => at < 40) }])
        const part = TestBars.filter(TestBars.withClose(bars, 30, 1.5), (at) => at >= 30)
        const [staged] = yield* stage("CUT", [{ session: day, bars: part }], { complete: false })
        expect(counts(staged!)).toEqual({ ...none, rows: 50, inserted: 10, unchanged: 9, restated: 1 })
        const held = yield* read("CUT", day)
        expect(held).toEqual(TestBars.withClose(bars, 30, 1.5))
        expect(staged!.contentHash).toBe(contentHash(held))
      }))

    it.effect("rows of another interval are replaced, but not by a cut-off payload", () =>
      Effect.gen(function*() {
        const coarse = TestBars.filter(TestBars.make(day, 50), (at) => at % 5 === 0)
        yield* stage("INTERVAL", [{ session: day, bars: coarse }], { interval: "5min" })
        const fine = [{ session: day, bars: TestBars.make(day, 50) }]
        const error = yield* Effect.flip(stage("INTERVAL", fine, { complete: false }))
        expect(error).toMatchObject({ operation: "stage", retryable: false })
        expect(yield* read("INTERVAL", day)).toEqual(coarse)
        const [staged] = yield* stage("INTERVAL", fine)
        expect(counts(staged!)).toEqual({ ...none, rows: 50, inserted: 50, removed: 10 })
        expect(yield* read("INTERVAL", day)).toEqual(fine[0]!.bars)
      }))

    it.effect("rows that another session held move to the one they are given for", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 10)
        yield* stage("MOVED", [{ session: next, bars }])
        const staged = yield* stage("MOVED", [{ session: day, bars }, { session: next, bars: empty }])
        expect(staged.map(counts)).toEqual([{ ...none, rows: 10, inserted: 10 }, { ...none, removed: 10 }])
        expect((yield* read("MOVED", next)).length).toBe(0)
        expect(yield* (yield* Tables).history("MOVED")).toHaveLength(10)
      }))

    it.effect("the same values from another source are unchanged, and theirs is the name", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 4)
        yield* stage("SOURCE", [{ session: day, bars }])
        const [staged] = yield* stage("SOURCE", [{ session: day, bars }], { source: "other" })
        expect(counts(staged!)).toEqual({ ...none, rows: 4, unchanged: 4 })
        expect(yield* (yield* Tables).sources("SOURCE")).toEqual(["other"])
      }))

    it.effect("refused rows are replaced with their session", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 2)
        const [first] = yield* stage("REJECTS", [
          { session: day, bars, rejects: [reject("a", bars.ts[0]! + 30_000), reject("b")] },
          { session: next, bars: empty, rejects: [reject("c")] }
        ])
        expect(first!.rejected).toBe(2)
        yield* stage("REJECTS", [{ session: day, bars, rejects: [reject("d")] }])
        expect(yield* (yield* Tables).quarantined("REJECTS")).toEqual([
          { session: next, ts: null, reason: "bad: c", raw: "c" },
          { session: day, ts: null, reason: "bad: d", raw: "d" }
        ])
      }))

    it.effect("refused rows of no session are replaced with their month", () =>
      Effect.gen(function*() {
        const sessions = [{ session: day, bars: empty }]
        yield* stage("UNPLACED", sessions, { unplaced: [reject("a"), reject("b", Date.parse(day))] })
        yield* stage("UNPLACED", [], { month: "2024-04", unplaced: [reject("april")] })
        yield* stage("UNPLACED", sessions, { unplaced: [reject("c")] })
        const raws = (yield* (yield* Tables).quarantined("UNPLACED")).map(({ raw }) => raw)
        expect(raws).toEqual(["april", "c"])
      }))

    it.effect("odd texts and dates of refused rows do not break staging", () =>
      Effect.gen(function*() {
        const odd = ["\0nul", "lone \ud800 surrogate", "quote ' \" \\ {},", "😀", "", "x".repeat(100_000)]
        const rejects = [
          ...odd.map((raw) => reject(raw)),
          reject("far", 8.64e15),
          reject("nan", NaN),
          reject("half", 0.5)
        ]
        const [staged] = yield* stage("ODD'; drop", [{ session: day, bars: empty, rejects }], {
          unplaced: [reject("\0")]
        })
        expect(staged!.rejected).toBe(9)
        const kept = yield* (yield* Tables).quarantined("ODD'; drop")
        expect(kept.map(({ raw }) => raw)).toEqual([
          "␀nul",
          "lone \ufffd surrogate",
          ...odd.slice(2),
          "far",
          "nan",
          "half",
          "␀"
        ])
        expect(kept.slice(6, 9).map(({ ts }) => ts)).toEqual([null, null, 0])
      }))

    it.effect("symbols do not touch each other, and partitions are read in the order asked", () =>
      Effect.gen(function*() {
        const store = yield* BarStore
        const [left, right] = [TestBars.make(day, 3, 10), TestBars.make(day, 4, 20)]
        yield* stage("LEFT", [{ session: day, bars: left }])
        yield* stage("RIGHT", [{ session: day, bars: right }])
        const asked = [["RIGHT", day], ["LEFT", next], ["LEFT", day], ["RIGHT", day]] as const
        const found = yield* store.read(asked.map(([symbol, session]) => ({ symbol, session })))
        expect(found).toEqual([right, empty, left, right])
        expect(yield* store.read([])).toEqual([])
      }))

    it.effect("eight at once for one session leave it staged once", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 390)
        const all = yield* Effect.all(
          Array.from({ length: 8 }, (_, at) =>
            stage("EIGHT", [{
              session: at % 2 === 0 ? day : next,
              bars: at % 2 === 0 ? bars : TestBars.make(next, 5)
            }])),
          { concurrency: "unbounded" }
        )
        const sums = all.flat().map(counts).filter(({ inserted }) => inserted > 0)
        expect(sums.map(({ inserted }) => inserted).sort()).toEqual([390, 5])
        expect(yield* read("EIGHT", day)).toEqual(bars)
        expect(yield* (yield* Tables).history("EIGHT")).toEqual([])
      }))

    it.effect("a month of 20,000 rows is staged, and staged again, within seconds", () =>
      Effect.gen(function*() {
        const sessions = Array.from({ length: 21 }, (_, at) => {
          const session = `2024-03-${String(at + 1).padStart(2, "0")}`
          return { session, bars: TestBars.make(session, 960, 50 + at) }
        })
        const first = yield* stage("MONTH", sessions)
        expect(first.map(({ inserted }) => inserted)).toEqual(sessions.map(() => 960))
        const again = yield* stage("MONTH", sessions)
        expect(again.map(({ unchanged }) => unchanged)).toEqual(sessions.map(() => 960))
        expect(again.map((one) => one.contentHash)).toEqual(sessions.map(({ bars }) => contentHash(bars)))
      }))

    it.effect("a request that breaks the rules of bars is refused as a whole", () =>
      Effect.gen(function*() {
        const bars = TestBars.make(day, 3)
        const unsorted = { ...bars, ts: bars.ts.toReversed() }
        for (
          const sessions of [
            [{ session: day, bars: unsorted }],
            [{ session: day, bars }, { session: day, bars: empty }],
            [{ session: day, bars }, { session: next, bars }]
          ]
        ) {
          expect(yield* Effect.flip(stage("BROKEN", sessions))).toMatchObject({ retryable: false })
        }
        expect((yield* read("BROKEN", day)).length).toBe(0)
      }))
  })
