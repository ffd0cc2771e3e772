/** Names for runs and the like: when it began, to the second, and a random tail. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export const make: Effect.Effect<string> = Effect.gen(function*() {
  const now = yield* Clock.currentTimeMillis
  const tail = yield* Random.nextIntBetween(0, 36 ** 4)
  return `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${
    tail.toString(36).padStart(4, "0")
  }`
})
