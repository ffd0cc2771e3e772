/** What every `DerivedStore` does. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { DerivedStore, type SessionBar, type SessionCoverage } from "../../../src/layers/derived/DerivedStore.ts"

/** The tables, in order of symbol and session. */
export class Tables extends Context.Service<Tables, {
  readonly sessionBars: Effect.Effect<ReadonlyArray<{ readonly session: string; readonly vwap: number | null }>>
  readonly coverage: Effect.Effect<
    ReadonlyArray<{ readonly session: string; readonly present: number; readonly longestFrom: number | null }>
  >
}>()("test/derived/Tables") {}

const bar = (session: string, vwap: number | null): SessionBar => ({
  symbol: "IBM",
  session,
  summary: { open: 1, high: 2, low: 0.5, close: 1.5, volume: 1e9, vwap, bars: 390, extendedVolume: 0.25 }
})

const measured = (session: string, present: number, longestFrom: number | null = null): SessionCoverage => ({
  symbol: "IBM",
  session,
  interval: "1min",
  expected: 390,
  present,
  gaps: longestFrom === null ? 0 : 1,
  longestGap: 390 - present,
  longestFrom
})

export const suite = <E>(name: string, services: Layer.Layer<DerivedStore | Tables, E>): void =>
  layer(services, { timeout: "60 seconds" })(name, (it) => {
    it.effect("daily bars are replaced by session, and a session without bars has none", () =>
      Effect.gen(function*() {
        const store = yield* DerivedStore
        const { sessionBars } = yield* Tables
        yield* store.putSessionBars([bar("2024-03-04", 1.2), bar("2024-03-05", null), bar("2024-03-06", 1.4)])
        yield* store.putSessionBars([bar("2024-03-05", 1.3), { ...bar("2024-03-06", 0), summary: null }])
        assert.deepStrictEqual(yield* sessionBars, [
          { session: "2024-03-04", vwap: 1.2 },
          { session: "2024-03-05", vwap: 1.3 }
        ])
        yield* store.putSessionBars([])
      }))

    it.effect("coverage is replaced by month", () =>
      Effect.gen(function*() {
        const store = yield* DerivedStore
        const { coverage } = yield* Tables
        const since = Date.parse("2024-02-29T15:00:00Z")
        yield* store.putCoverage("IBM", "2024-02", [measured("2024-02-28", 390), measured("2024-02-29", 1, since)])
        yield* store.putCoverage("IBM", "2024-03", [measured("2024-03-01", 389)])
        yield* store.putCoverage("IBM", "2024-02", [measured("2024-02-29", 2, since)])
        assert.deepStrictEqual(yield* coverage, [
          { session: "2024-02-29", present: 2, longestFrom: since },
          { session: "2024-03-01", present: 389, longestFrom: null }
        ])
      }))
  })
