import { expect, it } from "@effect/vitest"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import * as Outbox from "../../../src/runtime/automation/Outbox.ts"
import { finding, HOUR, MINUTE, said } from "../../support/TestAlerts.ts"

const opened = (incident: string, at: number) => Incident.apply(undefined, finding({ incident, at }), at)!

const pending = (incident: string, at: number): Outbox.Pending => ({ incident: opened(incident, at), told: undefined })

/** Told at that instant, and failing on since. */
const going = (toldAt: number): Outbox.Pending => {
  const before = opened("run/a", 0)
  const told = Incident.told(before, toldAt, undefined)
  return { incident: Incident.apply(before, finding({ incident: "run/a", at: MINUTE }), MINUTE)!, told }
}

const next = (all: ReadonlyArray<Outbox.Pending>, now: number) => {
  const found = Outbox.next(all, 0, now)
  return found._tag === "Tell" ? said(found.message) : found.until
}

it("the oldest is told first, and more than five are one message", () => {
  const all = [3, 1, 2, 5, 4].map((at) => pending(`run/${at}`, at))
  expect(next(all, HOUR)).toBe("opened run/1")
  expect(next([...all, pending("run/6", 6)], HOUR)).toBe("flood of 6")
})

it("what is not due yet says when it is, and nothing is due of nothing", () => {
  expect(next([], 0)).toBe(Infinity)
  expect(next([going(0)], MINUTE)).toBe(HOUR)
  expect(next([going(0)], HOUR)).toBe("continues run/a x2")
})

it("what was told by a clock that was set back since is not waited for", () => {
  expect(next([going(10 * HOUR)], MINUTE)).toBe("continues run/a x2")
})
