import { expect, it } from "@effect/vitest"
import * as Cost from "../../../src/runtime/plan/Cost.ts"

const free = { slots: 2, perSecond: 1, perDay: 25 }

it("calls that fit into a window cost what the smaller windows ask for", () => {
  expect(Cost.estimate("api", 25, free)).toEqual({ pool: "api", calls: 25, seconds: 24, perDay: 25 })
  expect(Cost.estimate("api", 1, free).seconds).toBe(0)
})

it("beyond a day's quota the last call is made as many days later as are full before it", () => {
  expect(Cost.estimate("api", 26, free).seconds).toBe(86_400)
  expect(Cost.estimate("api", 50, free).seconds).toBe(86_400)
  expect(Cost.estimate("api", 51, free).seconds).toBe(2 * 86_400)
  expect(Cost.estimate("api", 151, { slots: 4, perMinute: 75 }).seconds).toBe(120)
})

it("a pool without a quota costs no time", () => {
  expect(Cost.estimate("db", 1000, { slots: 4 }).seconds).toBe(0)
  expect(Cost.estimate("unknown", 5, undefined).seconds).toBe(0)
})
