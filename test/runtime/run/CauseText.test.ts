import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import { message } from "../../../src/runtime/run/CauseText.ts"

it("what is no error is said by its message and its fix, or by what it holds", () => {
  expect(message(Cause.fail(new Error("away")))).toBe("away")
  expect(message(Cause.fail({ message: "There is no asset \"x\".", fix: "barograph asset list" }))).toBe(
    "There is no asset \"x\". Fix: barograph asset list"
  )
  expect(message(Cause.fail({ code: 7 }))).toBe("{\"code\":7}")
  expect(message(Cause.fail({ code: 7n }))).toBe("[object Object]")
  expect(message(Cause.die("boom"))).toBe("boom")
  expect(message(Cause.fail(undefined))).toBe("undefined")
})
