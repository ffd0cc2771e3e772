import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as RunId from "../../../src/runtime/run/RunId.ts"

describe("the names of runs", () => {
  it.effect("one alone has no number, many have one by which they sort", () =>
    Effect.gen(function*() {
      expect(yield* RunId.several(0)).toEqual([])
      expect(yield* RunId.several(1)).toEqual([expect.stringMatching(/^\d{8}-\d{6}-\w{4}$/)])
      for (const count of [2, 9999, 12_000]) {
        const names = yield* RunId.several(count)
        expect(new Set(names).size).toBe(count)
        expect([...names].sort()).toEqual(names)
      }
      expect((yield* RunId.several(2))[1]).toMatch(/^\d{8}-\d{6}-\w{4}-0002$/)
    }))
})
