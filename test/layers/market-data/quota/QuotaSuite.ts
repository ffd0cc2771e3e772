/** What every `Quota` does. Each test has an account of its own, so they share a store. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type Limits, Quota, QuotaUsedUp } from "../../../../src/layers/market-data/Quota.ts"
import { at } from "../../../support/FixedClock.ts"

const free = { perSecond: 1, perDay: 25, resetZone: "America/New_York" }
const NOON = Date.parse("2026-03-10T16:00:00Z")
const MIDNIGHT = Date.parse("2026-03-11T04:00:00Z")

const reserve = (account: string, now: number, limits: Limits = free, cost = 1) =>
  Effect.flatMap(Quota, (quota) => at(now)(quota.reserve(account, limits, cost)))

/** `another` gives the service as a further process would have it. */
export const suite = <S, E>(
  name: string,
  services: Layer.Layer<S | Quota, E>,
  another: Effect.Effect<Quota["Service"], never, S | Quota>
): void =>
  layer(services, { timeout: "60 seconds", excludeTestServices: true })(name, (it) => {
    it.effect("two daemons and a command with one key make 25 calls a day and one a second together", () =>
      Effect.gen(function*() {
        const processes = [yield* Quota, yield* another, yield* another]
        const all = yield* Effect.forEach(
          Array.from({ length: 45 }, (_, call) => processes[call % 3]!),
          (process) => Effect.result(at(NOON)(process.reserve("together", free, 1))),
          { concurrency: "unbounded" }
        )
        const starts = all.flatMap((one) => one._tag === "Success" ? [one.success] : []).sort((a, b) => a - b)
        assert.strictEqual(starts.length, 25)
        assert.strictEqual(starts[0], NOON)
        for (let call = 1; call < starts.length; call++) assert.isAtLeast(starts[call]! - starts[call - 1]!, 1000)
        for (const one of all) {
          if (one._tag === "Success") continue
          assert.instanceOf(one.failure, QuotaUsedUp)
          assert.strictEqual(one.failure.message, "quota used up: 25 calls a day, resets at 2026-03-11T04:00:00.000Z")
        }
        assert.strictEqual(yield* at(NOON)(processes[2]!.used("together", free)), 25)
      }))

    it.effect("a used-up day is remembered by the next process, and over at the vendor's midnight", () =>
      Effect.gen(function*() {
        yield* reserve("day", NOON, free, 25)
        const next = yield* another
        const error = yield* Effect.flip(at(NOON + 1000)(next.reserve("day", free, 1)))
        assert.strictEqual(error._tag === "QuotaUsedUp" ? error.resetsAt : 0, MIDNIGHT)
        assert.strictEqual(yield* at(MIDNIGHT - 60_000)(next.reserve("day", free, 1)), MIDNIGHT)
        assert.strictEqual(yield* reserve("day", MIDNIGHT + 5000), MIDNIGHT + 5000)
        assert.strictEqual(yield* at(MIDNIGHT + 5000)(next.used("day", free)), 2)
      }))

    it.effect("a call may weigh more than one", () =>
      Effect.gen(function*() {
        const starts: Array<number> = []
        for (let call = 0; call < 7; call++) starts.push(yield* reserve("weight", NOON, { perMinute: 6 }, 2))
        assert.deepStrictEqual(starts.map((start) => (start - NOON) / 60_000), [0, 0, 0, 1, 1, 1, 2])
      }))

    it.effect("the vendor's silence holds for everybody: a short one is waited for, a long one fails at once", () =>
      Effect.gen(function*() {
        const [one, other] = [yield* Quota, yield* another]
        yield* one.close("silent", NOON + 30_000, "slow down")
        yield* one.close("silent", NOON + 10_000, "an older answer")
        assert.strictEqual(yield* at(NOON)(other.reserve("silent", {}, 1)), NOON + 30_000)
        yield* other.close("silent", NOON + 3_600_000, "banned")
        const error = yield* Effect.flip(at(NOON)(one.reserve("silent", {}, 1)))
        assert.strictEqual(error.message, "quota used up: banned, resets at 2026-03-10T17:00:00.000Z")
      }))

    it.effect("a refusal after the reset is known to the next process, which waits an hour and sends one call", () =>
      Effect.gen(function*() {
        const [one, other] = [yield* Quota, yield* another]
        const SOON = MIDNIGHT + 5000
        yield* reserve("trial", SOON)
        yield* at(SOON)(one.exhausted("trial", free, 1))
        assert.strictEqual(yield* at(SOON)(other.used("trial", free)), 0)
        const asked = (now: number) => Effect.result(at(now)(other.reserve("trial", free, 1)))
        assert.strictEqual((yield* asked(SOON + 60_000))._tag, "Failure")
        const HOUR = 3_600_000
        assert.strictEqual((yield* asked(SOON + HOUR))._tag, "Success")
        assert.strictEqual((yield* asked(SOON + HOUR))._tag, "Failure")
        yield* other.accepted("trial", free, SOON + HOUR)
        assert.strictEqual((yield* asked(SOON + HOUR + 2000))._tag, "Success")
        // Refused now, the day has begun and is used up.
        yield* at(SOON + HOUR + 3000)(one.exhausted("trial", free, 1))
        const error = yield* Effect.flip(at(SOON + HOUR + 4000)(one.reserve("trial", free, 1)))
        assert.strictEqual(error._tag === "QuotaUsedUp" ? error.resetsAt : 0, MIDNIGHT + 24 * HOUR)
      }))

    it.effect("accounts do not touch each other", () =>
      Effect.gen(function*() {
        yield* reserve("mine", NOON, free, 25)
        assert.strictEqual(yield* reserve("yours", NOON), NOON)
        assert.strictEqual(yield* (yield* Quota).used("nobody's", free), 0)
      }))
  })
