/** Which requests are refused before a row is touched. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { allocate, type Bars } from "../../../src/layers/bars/Bars.ts"
import * as Staging from "../../../src/layers/staging/Staging.ts"

/** An instant that the first three sessions of 2024 can all have. */
const SHARED = Date.parse("2024-01-02")

const at = (instants: ReadonlyArray<number>): Bars => {
  const bars = allocate(instants.length)
  bars.ts.set(instants.map((instant) => SHARED + instant))
  return bars
}

const violation = (sessions: ReadonlyArray<ReadonlyArray<number>>) =>
  Staging.violation({
    source: "test",
    symbol: "IBM",
    interval: "1min",
    month: "2024-01",
    payload: "raw/1.gz",
    complete: true,
    unplaced: [],
    sessions: sessions.map((instants, day) => ({ session: `2024-01-0${day + 1}`, bars: at(instants), rejects: [] }))
  })

const Instants = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 }))).check(
  Schema.isMaxLength(5)
)

it.effect.prop(
  "an instant in two sessions is refused, wherever they lie, and nothing else of sessions in order is",
  { sessions: Schema.Array(Instants).check(Schema.isMaxLength(3)) },
  ({ sessions }) =>
    Effect.sync(() => {
      const ordered = sessions.map((instants) => [...new Set(instants)].sort((a, b) => a - b))
      const all = ordered.flat()
      expect(violation(ordered) !== undefined).toBe(new Set(all).size < all.length)
    })
)

it("a refusal names the instant and both sessions", () => {
  expect(violation([[0, 60_000], [60_000, 120_000]])).toBe(
    "2024-01-02T00:01:00.000Z is in two sessions, 2024-01-01 and 2024-01-02"
  )
})

it("bars out of order are refused", () => {
  expect(violation([[60_000, 0]])).toBe("the bars of 2024-01-01 are not in order, one per instant")
})

it("a bar that no zone puts into its session is refused, since nobody would find it there", () => {
  const day = 86_400_000
  expect(violation([[-2 * day, 0, day - 1]])).toBeUndefined()
  expect(violation([[-2 * day - 1]])).toBe(
    "session 2024-01-01: a bar at 2023-12-30T23:59:59.999Z cannot belong to this session"
  )
  expect(violation([[0], [2 * day]])).toBe(
    "session 2024-01-02: a bar at 2024-01-04T00:00:00.000Z cannot belong to this session"
  )
  expect(violation([[NaN]])).toContain("a bar at NaN cannot belong")
})
