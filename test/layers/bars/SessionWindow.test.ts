import { expect, it } from "@effect/vitest"
import * as SessionWindow from "../../../src/layers/bars/SessionWindow.ts"

const texts = (windows: ReadonlyArray<SessionWindow.Window>) =>
  windows.map(({ from, to }) => [from, to].map((at) => new Date(at).toISOString().slice(0, 10)).join(" to "))

it("sessions that follow one another, over a weekend too, are one window; others are one each", () => {
  expect(texts(SessionWindow.joined(["2024-03-04", "2024-02-29", "2024-03-01", "2024-06-03", "2024-03-04"]))).toEqual([
    "2024-02-28 to 2024-03-06",
    "2024-06-02 to 2024-06-05"
  ])
  expect(SessionWindow.joined([])).toEqual([])
})

it("a hull goes from the first window to the last, in whatever order they come; of none, nothing", () => {
  expect(texts([SessionWindow.hull(["2024-06-03", "2024-02-29", "2024-03-01"])])).toEqual(["2024-02-28 to 2024-06-05"])
  expect(SessionWindow.hull([])).toEqual({ from: 0, to: 0 })
})
