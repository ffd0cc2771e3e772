import { expect, it } from "@effect/vitest"
import * as Admission from "../../../src/runtime/run/Admission.ts"

const queue = [
  { runId: "a", tags: { team: "etl", backfill: "" } },
  { runId: "b", tags: { team: "web" } },
  { runId: "c", tags: { team: "etl" } },
  { runId: "d", tags: {} }
]

const admitted = (limits: Admission.Limits, running: ReadonlyArray<Admission.Tags> = []) => [
  ...Admission.admitted(limits, running, queue)
]

it("without limits everybody begins", () => {
  expect(admitted({})).toEqual(["a", "b", "c", "d"])
})

it("the limit on all runs counts those that go on, and keeps the order", () => {
  expect(admitted({ runs: 3 }, [{}])).toEqual(["a", "b"])
  expect(admitted({ runs: 1 }, [{}])).toEqual([])
})

it("runs of others fill the tags and take no place", () => {
  const others = [{ team: "etl" }, {}, {}, {}]
  expect([...Admission.admitted({ runs: 2, tags: { "team=etl": 1 } }, [], queue, others)]).toEqual(["b", "d"])
  expect(Admission.full({ tags: { "team=etl": 1, team: 2 } }, others)).toEqual(["team=etl"])
})

it("a run that its tag holds back lets others pass", () => {
  expect(admitted({ tags: { "team=etl": 1 } })).toEqual(["a", "b", "d"])
  expect(admitted({ tags: { "team=etl": 1 } }, [{ team: "etl" }])).toEqual(["b", "d"])
  expect(admitted({ tags: { team: 2 } })).toEqual(["a", "b", "d"])
  expect(admitted({ tags: { backfill: 1, "team=etl": 2 }, runs: 3 })).toEqual(["a", "b", "c"])
})
