/** Weeks of conditions on a virtual clock, over the nights on which clocks change. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Condition from "../../../src/runtime/asset/Condition.ts"
import * as Watch from "../../../src/runtime/automation/Watch.ts"
import * as PartitionMapping from "../../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as TestConditions from "../../support/TestConditions.ts"
import * as TestGraph from "../../support/TestGraph.ts"

/** Clocks of these go forward, and in the last one back, on nights of these weeks. */
const ZONES = ["Asia/Jerusalem", "Europe/Berlin", "Australia/Sydney"] as const

const begin = Date.parse("2026-03-22T17:00:00Z")
const DAYS = 21

/** Told by the platform, not by our own zones. */
const local = (zone: string, at: string): { readonly date: string; readonly time: string } => {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" })
    .format(new Date(at))
  const [date, time] = text.split(" ")
  return { date: date!, time: time! }
}

const dayBefore = (date: string): string => new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10)

/** What a zone has: at half past two, what reads that, and a week's sum that is made once all its days are there. */
const zoneAssets = (zone: string, at: number) => {
  const day = Partitions.daily({ start: "2026-03-16", zone })
  const week = Partitions.weekly({ start: "2026-03-23", zone })
  const night = Asset.make(
    `night_${at}`,
    { partitions: { day }, automation: Condition.onCron("30 2 * * *", { zone }) },
    () => Effect.void
  )
  const reader = Asset.make(
    `reader_${at}`,
    { partitions: { day }, deps: { night }, automation: Condition.eager },
    () => Effect.void
  )
  const sum = Asset.make(
    `sum_${at}`,
    {
      partitions: { week },
      deps: { reader: Asset.mapped(reader, { day: PartitionMapping.overlapping("week") }) },
      automation: Condition.onMissing
    },
    () => Effect.void
  )
  return sum
}

const weeks = Effect.gen(function*() {
  yield* TestClock.setTime(begin)
  const graph = AssetGraph.make(...ZONES.map(zoneAssets))
  const daemon = yield* TestConditions.daemon(graph)
  for (let half = 0; half < DAYS * 48; half++) {
    const looked = daemon.evaluated.length
    yield* TestClock.adjust("30 minutes")
    if (daemon.evaluated.length > looked) yield* daemon.settle
  }
  return daemon.asked
}).pipe(
  Effect.scoped,
  Effect.provideService(Watch.Patience, Number.POSITIVE_INFINITY),
  Effect.provide(TestGraph.layerMemory)
)

it.effect(
  "every night has its tick, everything that reads it follows once, over the changes of clocks of three zones",
  () =>
    Effect.gen(function*() {
      const asked = yield* weeks
      for (const [at, zone] of ZONES.entries()) {
        const of = (asset: string) =>
          asked.flatMap(({ at: time, force, targets }) =>
            targets[`${asset}_${at}`] === undefined ? [] : [{ time, force, partitions: targets[`${asset}_${at}`]! }]
          )
        const nights = of("night")
        expect(nights).toHaveLength(DAYS)
        for (const { force, partitions, time } of nights) {
          const { date, time: clock } = local(zone, time)
          expect(force).toBe(true)
          expect(partitions).toBe(`day=${dayBefore(date)}`)
          // A time that is jumped over moves to the end of the jump.
          const jumps = date === "2026-03-27" && zone === "Asia/Jerusalem" ||
            date === "2026-03-29" && zone === "Europe/Berlin"
          expect(clock).toBe(jumps ? "03:00" : "02:30")
        }
        // A time that is repeated counts once, the second time.
        if (zone === "Australia/Sydney") {
          expect(nights.find(({ time }) => local(zone, time).date === "2026-04-05")?.time).toBe(
            "2026-04-04T16:30:00.000Z"
          )
        }
        const days = (found: typeof nights) => found.map(({ partitions }) => partitions)
        expect(days(of("reader"))).toEqual(days(nights))
        const sums = of("sum")
        expect(new Set(days(sums)).size).toBe(sums.length)
        // On the Monday after, in the night, once Sunday is there.
        for (const { time } of sums) expect(new Date(`${local(zone, time).date}T00:00Z`).getUTCDay()).toBe(1)
        expect(sums.length).toBeGreaterThanOrEqual(2)
        expect(sums.every(({ force }) => !force)).toBe(true)
      }
    }),
  60_000
)
