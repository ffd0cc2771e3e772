/**
 * What the daemon does by itself. Both schedules ask for everything that is missing or stale by then, so a tick that was
 * missed, or failed, is made up by the next.
 */
import * as Schedule from "../runtime/automation/Schedule.ts"

const EVERYTHING = { select: "group:bars" }

/** The week's sessions, when vendors have corrected them. */
const weekly = Schedule.make("weekly", {
  description: "The week's sessions, on Saturday morning",
  cron: "0 6 * * 6",
  zone: "America/New_York",
  jitter: "10 minutes",
  request: EVERYTHING
})

/** After the extended hours; the day's last trades are in by then. */
const nightly = Schedule.make("nightly", {
  description: "The day's session, after the extended hours",
  cron: "30 20 * * 1-5",
  zone: "America/New_York",
  jitter: "10 minutes",
  request: EVERYTHING,
  paused: true
})

export const automations = [weekly, nightly]
