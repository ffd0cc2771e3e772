import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Project from "../../../src/runtime/automation/Project.ts"
import * as Schedule from "../../../src/runtime/automation/Schedule.ts"
import * as Cron from "../../../src/runtime/partition/Cron.ts"

const at = (text: string): number => Date.parse(text)

const hourly = (more: Partial<Schedule.Options> = {}) =>
  Schedule.make("hourly", { cron: "0 * * * *", zone: "UTC", request: { assets: ["bars"] }, ...more })

const decide = (self: Schedule.Schedule, since: string, now: string, going: ReadonlyArray<string> = []) =>
  Schedule.decide(self, { since: at(since), now: at(now), isPaused: false, going }).map(({ due, outcome, why }) => [
    new Date(due).toISOString().slice(11, 16),
    outcome,
    why
  ])

describe("ticks that nobody was there for", () => {
  const since = "2024-01-01T00:00:00Z"
  const now = "2024-01-01T03:10:00Z"
  const later = "missed; a later tick stands for it"
  const none = "missed; catch-up is none"

  it("the last one stands for all of them", () => {
    expect(decide(hourly(), since, now)).toEqual([
      ["01:00", "missed", later],
      ["02:00", "missed", later],
      ["03:00", "requested", undefined]
    ])
  })

  it("all of them are made up, and none of them is", () => {
    expect(decide(hourly({ catchUp: "all" }), since, now).map(([, outcome]) => outcome)).toEqual([
      "requested",
      "requested",
      "requested"
    ])
    expect(decide(hourly({ catchUp: "none" }), since, now)).toEqual([
      ["01:00", "missed", none],
      ["02:00", "missed", none],
      ["03:00", "missed", none]
    ])
  })

  it("a tick that is a little late was not missed", () => {
    expect(decide(hourly({ catchUp: "none" }), since, "2024-01-01T01:01:59Z")).toEqual([[
      "01:00",
      "requested",
      undefined
    ]])
  })

  it("a clock that is set back brings no tick again", () => {
    expect(decide(hourly(), now, "2024-01-01T01:30:00Z")).toEqual([])
  })
})

describe("a run that is not over", () => {
  it("keeps the next tick from asking, unless ticks queue or cancel it", () => {
    const tick = (overlap: Schedule.Overlap) =>
      decide(hourly({ overlap }), "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", ["r1"])
    expect(tick("skip")).toEqual([["01:00", "skipped", "run r1 is not over"]])
    expect(tick("queue")).toEqual([["01:00", "requested", undefined]])
    expect(tick("cancel")).toEqual([["01:00", "requested", undefined]])
  })
})

describe("a schedule", () => {
  it.prop(
    "asks for each tick once, however often and whenever it is looked at",
    {
      catchUp: Schema.Literals(["all", "last", "none"]),
      zone: Schema.Literals(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]),
      cron: Schema.Literals(["*/20 * * * *", "30 2 * * *", "0 6 * * 6", "0 0 1 * *", "15 */3 * * 1-5"]),
      // Clocks that jump ahead and back again.
      minutes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 13 * 24 * 60 })))
    },
    ({ catchUp, cron, minutes, zone }) => {
      const from = at("2024-03-04T00:00:00Z")
      const self = hourly({ catchUp, zone, cron, overlap: "queue" })
      let since = from
      const seen: Array<number> = []
      for (const minute of minutes) {
        const decided = Schedule.decide(self, { since, now: from + minute * 60_000, isPaused: false, going: [] })
        seen.push(...decided.map(({ due }) => due))
        since = decided.at(-1)?.due ?? since
      }
      expect(seen).toEqual(Cron.ticks(self.cron, self.zone, from + 1, since + 1))
    }
  )

  it("begins within its jitter, each tick always at the same instant", () => {
    const self = hourly({ jitter: "10 minutes" })
    const ticks = Cron.ticks(self.cron, self.zone, 0, 500 * 3_600_000)
    const offsets = ticks.map((tick) => Schedule.startOf(self, tick) - tick)
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...offsets)).toBeLessThan(600_000)
    expect(new Set(offsets).size).toBeGreaterThan(490)
    expect(ticks.map((tick) => Schedule.startOf(hourly({ jitter: "10 minutes" }), tick) - tick)).toEqual(offsets)
  })

  it("refuses what can never tick, or has no zone", () => {
    expect(() => hourly({ cron: "0 0 31 2 *" })).toThrow(/Schedule "hourly" cannot be declared so: The cron/)
    expect(() => hourly({ zone: "Mars/Olympus" })).toThrow(/Schedule "hourly" cannot be declared so/)
  })

  it("refuses what could not work, and says what is wrong", () => {
    const refused: ReadonlyArray<readonly [options: object, says: string]> = [
      [{ priority: 1.5 }, "priority is 1.5: expected an integer."],
      [{ priority: "high" }, "priority is \"high\": expected number."],
      [{ priority: 3e9 }, "priority is 3000000000: expected a value between -2147483647 and 2147483647."],
      [{ attempts: 0 }, "attempts is 0: expected a value between 1 and 2147483647."],
      [{ attempts: 2.5 }, "attempts is 2.5: expected an integer."],
      [{ jitter: -1 }, "jitter is -1: expected a time from 0 on, such as \"5 minutes\"."],
      [{ jitter: "soon" }, "jitter is \"soon\": expected a time from 0 on, such as \"5 minutes\"."],
      [{ catchUp: "some" }, "catchUp is \"some\": expected \"all\" | \"last\" | \"none\"."],
      [{ overlap: "kill" }, "overlap is \"kill\": expected \"queue\" | \"skip\" | \"cancel\"."],
      [{ tags: { team: 7 } }, "tags.team is 7: expected string."],
      [{ cron: undefined }, "cron is undefined: expected string."],
      [{ request: undefined }, "request is undefined: expected object."],
      [{ request: { assets: "bars" } }, "request.assets is \"bars\": expected array."],
      [{ catchup: "all" }, "there is no option \"catchup\". Did you mean \"catchUp\"? Options: cron, zone, request,"],
      [{ cron: undefined, corn: "@daily" }, "there is no option \"corn\". Did you mean \"cron\"?"],
      [{ timezone: "UTC" }, "there is no option \"timezone\". Options: cron, zone,"],
      [
        { request: { partitions: "day=2024-01-01" } },
        "there is no option \"request.partitions\". Did you mean \"partition\"?"
      ]
    ]
    for (const [options, says] of refused) {
      expect(() => hourly(options)).toThrow(`Schedule "hourly" cannot be declared so: ${says}`)
    }
    for (const name of ["Hourly", "a b", "", 7]) {
      expect(() => Schedule.make(name as string, { cron: "0 * * * *", zone: "UTC", request: {} })).toThrow(
        `Schedule "${name}" cannot be declared so: the name is`
      )
    }
    expect(hourly({ jitter: 0, attempts: 1, priority: -5 })).toMatchObject({ jitter: 0, attempts: 1, priority: -5 })
  })

  it("says that its request throws, or answers what is no request", () => {
    const said = (request: () => unknown) => {
      const self = hourly({ request: request as () => Schedule.Words })
      return Project.problems(AssetGraph.make(Asset.make("bars", {}, () => Effect.void)), [self])
    }
    expect(said(() => ({ assets: ["bars"] }))).toEqual([])
    expect(said(() => {
      throw new Error("no such day at https://a.example/?apikey=s3cret")
    })).toEqual(["Schedule \"hourly\": its request throws: Error: no such day at https://a.example/?apikey=***"])
    expect(said(() => ({ assets: ["bars"], only: "some" }))).toEqual([
      "Schedule \"hourly\": its request cannot be used: only is \"some\": expected \"missing\" | \"failed\" | \"stale\" | \"all\"."
    ])
    expect(said(() => undefined)).toEqual([
      "Schedule \"hourly\": its request cannot be used: its answer is undefined: expected object."
    ])
  })
})

it("what is asked for can be kept, whatever characters are in it", () => {
  const odd = hourly({ tags: { "team \u0000": "half \ud83d" }, request: () => ({ partition: "nul \u0000" }) })
  expect(odd.tags).toEqual({ "team \ufffd": "half \ufffd" })
  expect(odd.request(0)).toMatchObject({ partition: "nul \ufffd" })
})
