import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Alert from "../../../src/runtime/automation/Alert.ts"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import { finding, HOUR, MINUTE } from "../../support/TestAlerts.ts"

/** Findings one after the other, each when it happened. */
const after = (...findings: ReadonlyArray<Alert.Finding>): Incident.Incident => {
  let incident: Incident.Incident | undefined
  for (const one of findings) incident = Incident.apply(incident, one, one.at)
  return incident!
}

/** What a channel is told that looks at each of these instants, and hears of everything at once. */
const heard = (findings: ReadonlyArray<Alert.Finding>, looks: ReadonlyArray<number>): ReadonlyArray<string> => {
  const said: Array<string> = []
  let incident: Incident.Incident | undefined
  let told: Incident.Told | undefined
  const left = [...findings]
  for (const now of looks) {
    while (left[0] !== undefined && left[0].at <= now) incident = Incident.apply(incident, left.shift()!, now)
    const due = incident === undefined ? undefined : Incident.due(incident, told, 0)
    if (incident === undefined || due === undefined || due.at > now) continue
    said.push(`${now / MINUTE}: ${due.change} x${Incident.notice(incident, told, due.change).count}`)
    told = Incident.told(incident, now, undefined)
  }
  return said
}

const everyMinute = (minutes: number) => Array.from({ length: minutes + 1 }, (_, n) => n * MINUTE)

it("the first failure is told, the further ones once an hour, and the first success at once", () => {
  const failures = everyMinute(150).filter((at) => at % (10 * MINUTE) === 0).map((at) => finding({ at }))
  const success = finding({ state: "well", at: 151 * MINUTE })
  expect(heard([...failures, success], everyMinute(160))).toEqual([
    "0: opened x1",
    "60: continues x7",
    "120: continues x13",
    "151: resolved x16"
  ])
})

it("what goes on without failing again is not told again", () => {
  expect(heard([finding()], everyMinute(180))).toEqual(["0: opened x1"])
})

it("a success without a failure before is nothing", () => {
  expect(Incident.apply(undefined, finding({ state: "well" }), 0)).toBeUndefined()
})

it("what fails and recovers every minute costs two messages in a quarter of an hour", () => {
  const flapping = everyMinute(60).map((at) => finding({ at, state: (at / MINUTE) % 2 === 0 ? "trouble" : "well" }))
  expect(heard(flapping, everyMinute(60))).toEqual([
    "0: opened x1",
    "1: resolved x1",
    "16: opened x1",
    "17: resolved x1",
    "32: opened x1",
    "33: resolved x1",
    "48: opened x1",
    "49: resolved x1"
  ])
})

it("a failure that gets worse is told at once", () => {
  const warned = finding({ incident: "freshness/bars", severity: "warn" })
  const overdue = finding({ incident: "freshness/bars", at: MINUTE })
  expect(heard([warned, overdue], everyMinute(5))).toEqual(["0: opened x1", "1: worse x2"])
})

it("a sensor that fails twice and works again is not told, one that fails three times is", () => {
  const fails = (n: number) => finding({ at: n * MINUTE, patience: 3 })
  const works = (n: number) => finding({ at: n * MINUTE, state: "well" })
  expect(heard([fails(0), fails(1), works(2), fails(3)], everyMinute(5))).toEqual([])
  expect(heard([fails(0), fails(1), fails(2), works(3)], everyMinute(5))).toEqual(["2: opened x3", "3: resolved x3"])
})

it("a channel that heard of a failure hears of its end, although the next one was too short to be told", () => {
  const shown = after(
    finding({ patience: 2 }),
    finding({ patience: 2, at: 1 }),
    finding({ state: "well", at: 2 }),
    finding({ patience: 2, at: 3 }),
    finding({ state: "well", at: 4 })
  )
  const told = Incident.told(after(finding({ patience: 2 }), finding({ patience: 2, at: 1 })), 1, undefined)
  expect(Incident.due(shown, told, 0)).toEqual({ change: "resolved", at: 0 })
})

it("a channel is not told what was over before it was there, also when it goes well again", () => {
  const over = after(finding(), finding({ state: "well", at: HOUR }))
  expect(Incident.due(over, undefined, 2 * HOUR)).toBeUndefined()
  const again = Incident.apply(over, finding({ state: "well", at: 3 * HOUR }), 3 * HOUR)!
  expect(Incident.due(again, undefined, 2 * HOUR)).toBeUndefined()
  expect(Incident.due(after(finding()), undefined, 2 * HOUR)).toEqual({ change: "opened", at: 0 })
})

it("an event is told each time, with how often it happened since the last time", () => {
  const event = (at: number) => finding({ state: "event", incident: "daemon/takeover", at })
  const events = [event(0), event(MINUTE), event(2 * MINUTE), event(HOUR)]
  expect(heard(events, everyMinute(70))).toEqual(["0: event x1", "15: event x2", "60: event x1"])
})

it("an older trouble that is observed after a success opens nothing", () => {
  const over = after(finding(), finding({ state: "well", at: HOUR }))
  expect(Incident.apply(over, finding({ at: MINUTE }), HOUR)).toBe(over)
})

it("after the clock was set back, a new finding counts although it seems to be older", () => {
  const ahead = after(finding({ at: 2 * HOUR }))
  expect(Incident.apply(ahead, finding({ at: HOUR }), HOUR)).toMatchObject({ count: 2, latestAt: HOUR })
})

it("texts become lines of bounded length that a database can keep", () => {
  const shown = after(finding({
    title: "a\nb\u0000\u001b[31mc",
    lines: [...Array.from({ length: 20 }, () => "\ud83d".repeat(3)), "x".repeat(2000)]
  }))
  expect(shown.title).toBe("a b [31mc")
  expect(shown.lines).toHaveLength(9)
  expect(shown.lines[8]).toBe("and 13 more lines")
  expect(shown.lines[0]).toBe("\ufffd\ufffd\ufffd")
})

it("what a channel answers is kept, whatever characters are in it", () => {
  expect(Incident.told(after(finding()), HOUR, "thread \u0000", "refused \ud83d")).toMatchObject({
    thread: "thread \ufffd",
    refused: "refused \ufffd"
  })
})

const Steps = Schema.Array(Schema.Struct({
  state: Schema.Literals(["trouble", "well"]),
  minutes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))
})).check(Schema.isMaxLength(60))

const findingsOf = (steps: typeof Steps.Type): ReadonlyArray<Alert.Finding> => {
  let at = 0
  return steps.map(({ minutes, state }) => finding({ state, at: at += minutes * MINUTE }))
}

it.effect.prop(
  "what is observed twice, or in pieces that were known already, is what it was",
  [Steps, Schema.Int],
  ([steps, n]) =>
    Effect.sync(() => {
      const findings = findingsOf(steps)
      const once = after(...findings)
      const known = findings.slice(0, Math.abs(n) % (findings.length + 1))
      if (once === undefined) return
      let twice: Incident.Incident | undefined = once
      for (const one of known) twice = Incident.apply(twice, one, once.latestAt)
      expect(twice).toEqual(once)
    })
)

it.effect.prop("whatever happens, a channel knows the end of it, and is not told more than eight things an hour", [
  Steps
], ([steps]) =>
  Effect.sync(() => {
    const findings = findingsOf(steps)
    const end = (findings.at(-1)?.at ?? 0) + 2 * HOUR
    const said = heard(findings, everyMinute(end / MINUTE))
    const last = said.at(-1)?.split(" ")[1]
    const incident = after(...findings)
    expect(String(last)).toMatch(
      incident === undefined ? /undefined/ : incident.status === "open" ? /opened|continues/ : /resolved/
    )
    const times = said.map((one) => Number(one.split(":")[0]))
    for (const [n, time] of times.entries()) expect((times[n + 8] ?? Infinity) - time).toBeGreaterThanOrEqual(60)
  }))
