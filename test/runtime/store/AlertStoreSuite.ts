/** What every `AlertStore` does. Each test has incidents and channels of its own, so they share a store. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import { AlertStore } from "../../../src/runtime/store/AlertStore.ts"
import * as FixedClock from "../../support/FixedClock.ts"
import { finding, HOUR, MINUTE } from "../../support/TestAlerts.ts"

const START = Date.UTC(2024, 0, 1)

const at = (minutes: number) => START + minutes * MINUTE

/** The findings, each when it happened. */
const observe = Effect.fnUntraced(function*(...findings: ReadonlyArray<ReturnType<typeof finding>>) {
  const store = yield* AlertStore
  for (const one of findings) yield* FixedClock.at(one.at)(store.observe([one]))
  return store
})

/** What the channel does not know of incidents whose names begin so. */
const unknown = (channel: string, prefix: string) =>
  Effect.flatMap(
    AlertStore,
    (store) =>
      Effect.map(store.pending(channel), (pending) =>
        pending.filter(({ incident }) => incident.incident.startsWith(prefix)))
  )

const tell = Effect.fnUntraced(function*(channel: string, prefix: string, now: number, thread?: string) {
  const store = yield* AlertStore
  const told = (yield* unknown(channel, prefix)).map(({ incident }) => ({
    incident: incident.incident,
    told: Incident.told(incident, now, thread)
  }))
  yield* FixedClock.at(now)(store.delivered(channel, told))
})

export const suite = <E>(name: string, stores: Layer.Layer<AlertStore, E>): void =>
  layer(stores, { excludeTestServices: true })(name, (it) => {
    it.effect("an incident is kept as the findings made it, whatever is in their texts", () =>
      Effect.gen(function*() {
        const incident = "kept/schedule"
        const lines = ["it's \"quoted\" \u0000 \ud83d, 100 %"]
        const store = yield* observe(
          finding({ incident, at: at(0), lines, patience: 2 }),
          finding({ incident, at: at(1), lines, severity: "warn" })
        )
        expect(yield* store.find(incident)).toEqual({
          incident,
          kind: "run_failed",
          status: "open",
          severity: "error",
          title: "schedule weekly failed",
          lines: ["it's \"quoted\"   \ufffd, 100 %"],
          command: `barograph run show r${at(1)}`,
          episode: 1,
          count: 2,
          patience: 2,
          openedAt: at(0),
          changedAt: at(0),
          latestAt: at(1),
          latestKey: `r${at(1)}`
        })
        expect((yield* store.open).map((one) => one.incident)).toContain(incident)
        yield* observe(finding({ incident, state: "well", at: at(2) }))
        expect((yield* store.open).map((one) => one.incident)).not.toContain(incident)
        expect(yield* store.find(incident)).toMatchObject({ status: "resolved", changedAt: at(2), lines: [] })
        expect(yield* store.find("nobody")).toBeUndefined()
      }))

    it.effect("findings of several incidents come in at once; observed again they change nothing", () =>
      Effect.gen(function*() {
        const store = yield* AlertStore
        const findings = [
          finding({ incident: "once/a", at: at(0) }),
          finding({ incident: "once/b", at: at(0) }),
          finding({ incident: "once/a", at: at(1) })
        ]
        yield* FixedClock.at(at(1))(store.observe(findings))
        yield* FixedClock.at(at(2))(store.observe(findings))
        yield* FixedClock.at(at(2))(store.observe([]))
        expect(yield* store.find("once/a")).toMatchObject({ count: 2 })
        expect(yield* store.find("once/b")).toMatchObject({ count: 1 })
      }))

    it.effect("a channel is pending until it was told how the incident stands, and each has its own", () =>
      Effect.gen(function*() {
        const store = yield* AlertStore
        const incident = "told/a"
        yield* FixedClock.at(at(0))(Effect.andThen(store.attach("told-1"), store.attach("told-2")))
        yield* observe(finding({ incident, at: at(1) }))
        expect(yield* unknown("told-1", "told/")).toMatchObject([{ incident: { incident }, told: undefined }])
        yield* tell("told-1", "told/", at(2), "thread 1")
        expect(yield* unknown("told-1", "told/")).toEqual([])
        expect(yield* unknown("told-2", "told/")).toHaveLength(1)
        yield* observe(finding({ incident, at: at(3) }))
        expect(yield* unknown("told-1", "told/")).toMatchObject([{
          incident: { count: 2 },
          told: { episode: 1, status: "open", count: 1, at: at(2), thread: "thread 1", refused: undefined }
        }])
        yield* observe(finding({ incident, state: "well", at: at(4) }))
        yield* tell("told-1", "told/", at(5))
        expect(yield* unknown("told-1", "told/")).toEqual([])
        yield* observe(finding({ incident, at: at(6) }))
        expect(yield* unknown("told-1", "told/")).toMatchObject([{ incident: { episode: 2 }, told: { episode: 1 } }])
      }))

    it.effect("what was over before a channel was there does not concern it; what is open does", () =>
      Effect.gen(function*() {
        const store = yield* observe(
          finding({ incident: "late/over", at: at(0) }),
          finding({ incident: "late/over", state: "well", at: at(1) }),
          finding({ incident: "late/open", at: at(0) })
        )
        const names = Effect.map(unknown("late", "late/"), (all) => all.map(({ incident }) => incident.incident))
        expect(yield* names).toEqual(["late/open"])
        expect(yield* FixedClock.at(at(2))(store.attach("late"))).toMatchObject({ since: at(2), failures: 0 })
        expect(yield* FixedClock.at(at(3))(store.attach("late"))).toMatchObject({ since: at(2) })
        expect(yield* names).toEqual(["late/open"])
        yield* observe(finding({ incident: "late/over", state: "well", at: at(4) }))
        expect(yield* names).toEqual(["late/open"])
      }))

    it.effect("why nothing gets through is kept until something does", () =>
      Effect.gen(function*() {
        const store = yield* AlertStore
        yield* FixedClock.at(at(0))(store.attach("down"))
        yield* store.failed("down", { failures: 3, error: "status 503", nextAt: at(9) })
        expect(yield* store.channel("down")).toEqual({
          channel: "down",
          since: at(0),
          deliveredAt: undefined,
          failures: 3,
          error: "status 503",
          nextAt: at(9)
        })
        yield* FixedClock.at(at(5))(store.delivered("down", []))
        expect(yield* store.channel("down")).toMatchObject({ deliveredAt: at(5), failures: 0, error: undefined })
        expect(yield* store.channel("unheard of")).toBeUndefined()
      }))

    it.effect("what a channel would not have is not pending, but can be looked up", () =>
      Effect.gen(function*() {
        const store = yield* observe(finding({ incident: "refused/a", at: at(0) }))
        yield* store.attach("refusing")
        const [one] = yield* unknown("refusing", "refused/")
        const told = Incident.told(one!.incident, at(1), undefined, "invalid_blocks")
        yield* store.delivered("refusing", [{ incident: "refused/a", told }])
        expect(yield* unknown("refusing", "refused/")).toEqual([])
        expect(yield* store.refusals("refusing")).toEqual([{ incident: "refused/a", why: "invalid_blocks" }])
        expect(yield* store.refusals("other")).toEqual([])
      }))

    it.effect("incidents of which nothing was heard are forgotten, with what was told of them", () =>
      Effect.gen(function*() {
        const store = yield* observe(
          finding({ incident: "old/a", at: -2 * HOUR }),
          finding({ incident: "old/b", at: -2 * HOUR }),
          finding({ incident: "old/b", state: "well", at: -HOUR })
        )
        yield* tell("forgetful", "old/", -HOUR)
        expect(yield* store.prune(-HOUR)).toBe(1)
        expect(yield* store.find("old/a")).toBeUndefined()
        expect(yield* store.find("old/b")).toBeDefined()
        // Told of something that is forgotten meanwhile.
        const gone = Incident.told((yield* store.find("old/b"))!, 0, undefined)
        yield* store.delivered("forgetful", [{ incident: "old/a", told: gone }])
        yield* observe(finding({ incident: "old/a", at: at(0) }))
        expect(yield* unknown("forgetful", "old/a")).toMatchObject([{ told: undefined }])
      }))
  })
