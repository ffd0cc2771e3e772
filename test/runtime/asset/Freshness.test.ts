import { expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Freshness from "../../../src/runtime/asset/Freshness.ts"

const HOUR = 3_600_000
const at = (text: string): number => Date.parse(text)
const status = (policy: Freshness.Policy, latest: string | undefined, now: string) =>
  Freshness.evaluate(policy, latest === undefined ? undefined : at(latest), at(now)).status

it("within a time: fresh, then a warning, then overdue, each to the millisecond", () => {
  const policy = Freshness.within("26 hours", { warn: "20 hours" })
  const latest = "2024-03-01T00:00:00.000Z"
  expect(status(policy, latest, "2024-03-01T19:59:59.999Z")).toBe("fresh")
  expect(status(policy, latest, "2024-03-01T20:00:00.000Z")).toBe("warn")
  expect(status(policy, latest, "2024-03-02T01:59:59.999Z")).toBe("warn")
  expect(status(policy, latest, "2024-03-02T02:00:00.000Z")).toBe("overdue")
  expect(status(policy, undefined, "2024-03-02T02:00:00.000Z")).toBe("unknown")
})

it("by a cron: the last tick is the deadline, and a success since the lookback before it meets it", () => {
  const policy = Freshness.byCron("0 18 * * 1-5", { zone: "America/New_York", lookback: "2 hours" })
  // Friday the 1st of March 2024, 18:00 in New York, is 23:00Z.
  expect(status(policy, "2024-03-01T20:59:59Z", "2024-03-01T22:59:59Z")).toBe("fresh")
  expect(status(policy, "2024-03-01T20:59:59Z", "2024-03-01T23:00:00Z")).toBe("overdue")
  expect(status(policy, "2024-03-01T21:00:00Z", "2024-03-01T23:00:00Z")).toBe("fresh")
  expect(status(policy, undefined, "2024-03-01T23:00:00Z")).toBe("unknown")
})

it("a weekend has no deadline, and the next one knows that clocks have changed meanwhile", () => {
  const policy = Freshness.byCron("0 18 * * 1-5", { zone: "America/New_York", lookback: "2 hours" })
  const friday = Freshness.evaluate(policy, at("2024-03-08T22:00:00Z"), at("2024-03-09T12:00:00Z"))
  expect(friday).toEqual({
    status: "fresh",
    sentence: "latest success 2024-03-08 22:00Z, due again by 2024-03-11 22:00Z",
    changesAt: at("2024-03-11T22:00:00Z")
  })
})

it("a sentence says what was missed", () => {
  const within = Freshness.within("1 hour")
  expect(Freshness.evaluate(within, at("2024-03-01T10:00:00Z"), at("2024-03-01T12:00:00Z")).sentence)
    .toBe("latest success 2024-03-01 10:00Z, was due again by 2024-03-01 11:00Z")
  const cron = Freshness.byCron("0 9 * * *", { zone: "UTC", lookback: "1 hour" })
  expect(Freshness.evaluate(cron, at("2024-03-01T07:00:00Z"), at("2024-03-01T12:00:00Z")).sentence)
    .toBe("latest success 2024-03-01 07:00Z, the deadline 2024-03-01 09:00Z needed one since 2024-03-01 08:00Z")
})

it("a policy that cannot be is refused with a sentence", () => {
  expect(() => Freshness.byCron("0 25 * * *", { zone: "UTC", lookback: "1 hour" }))
    .toThrow(/The freshness policy cannot be declared so: The hour "25" of the cron "0 25 \* \* \*" is wrong/)
  expect(() => Freshness.byCron("0 18 * *", { zone: "UTC", lookback: "1 hour" })).toThrow("has 4 fields, not five")
  expect(() => Freshness.byCron("0 18 * * *", { zone: "Mars/Base", lookback: "1 hour" }))
    .toThrow("\"Mars/Base\" is not a time zone")
  expect(() => Freshness.within("1 hour", { warn: "2 hours" })).toThrow("warn (2h) must come before the limit (1h)")
  expect(() => Freshness.within("0 hours")).toThrow("the limit must be a time")
})

const Hours = (from: number, to: number) => Schema.Int.check(Schema.isBetween({ minimum: from, maximum: to }))

const policies = Schema.Literals(["within", "warned", "daily", "weekdays", "hourly"])
const policyOf: { readonly [name in typeof policies.Type]: Freshness.Policy } = {
  within: Freshness.within("30 hours"),
  warned: Freshness.within("30 hours", { warn: "7 hours" }),
  daily: Freshness.byCron("30 2 * * *", { zone: "Europe/Berlin", lookback: "5 hours" }),
  weekdays: Freshness.byCron("0 18 * * 1-5", { zone: "America/New_York", lookback: "26 hours" }),
  hourly: Freshness.byCron("@hourly", { zone: "Australia/Lord_Howe", lookback: "90 minutes" })
}

const rank = { fresh: 0, warn: 1, overdue: 2, unknown: 3 }

it.prop(
  "time alone changes a standing first at the instant that it names, and only for the worse",
  [policies, Hours(0, 24 * 400), Hours(0, 100)],
  ([name, latestHour, ageHours]) => {
    const policy = policyOf[name]
    // Over both changes of clocks of 2024.
    const latest = at("2024-01-01T00:00:00Z") + latestHour * HOUR
    const now = latest + ageHours * HOUR
    const { changesAt, status } = Freshness.evaluate(policy, latest, now)
    if (changesAt === undefined) {
      expect(status).toBe("overdue")
      expect(Freshness.evaluate(policy, latest, now + 1000 * HOUR).status).toBe("overdue")
      return
    }
    expect(changesAt).toBeGreaterThan(now)
    for (const share of [0, 0.1, 0.5, 0.9]) {
      const meanwhile = Math.floor(now + share * (changesAt - 1 - now))
      expect(Freshness.evaluate(policy, latest, meanwhile).status).toBe(status)
    }
    expect(Freshness.evaluate(policy, latest, changesAt - 1).status).toBe(status)
    expect(rank[Freshness.evaluate(policy, latest, changesAt).status]).toBeGreaterThan(rank[status])
  }
)

it.prop(
  "a later success never stands worse",
  [policies, Hours(0, 24 * 400), Hours(0, 60), Hours(0, 60)],
  ([name, hour, first, second]) => {
    const now = at("2024-01-01T00:00:00Z") + hour * HOUR
    const [older, newer] = [Math.max(first, second), Math.min(first, second)].map((age) => now - age * HOUR)
    const standing = (latest: number) => rank[Freshness.evaluate(policyOf[name], latest, now).status]
    expect(standing(newer!)).toBeLessThanOrEqual(standing(older!))
  }
)
