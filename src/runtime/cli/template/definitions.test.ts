import { expect, it } from "@effect/vitest"
import * as Testing from "barograph/Testing"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import definitions, { Gauge, weeklyReport } from "./definitions.ts"

/** The gauge of a week in which it rained on the hill on Tuesday. */
const dryWeek = Layer.succeed(Gauge, {
  millimetres: (station, day) => Effect.succeed(station === "hill" && day === "tue" ? 12 : 0)
})

it.effect("a week is summed up by station", () =>
  Effect.gen(function*() {
    const run = yield* Testing.materialize(definitions, { asset: "weekly_report" })
    expect(run.output(weeklyReport, { station: "hill" })).toEqual({ total: 12, wettest: "tue" })
    expect(run.output(weeklyReport, { station: "harbour" }).total).toBe(0)
  }).pipe(Effect.provide([Testing.layer, dryWeek])))

it.effect("a second run has nothing to do", () =>
  Effect.gen(function*() {
    yield* Testing.materialize(definitions)
    expect(Testing.planned(yield* Testing.plan(definitions))).toEqual([])
  }).pipe(Effect.provide([Testing.layer, dryWeek])))
