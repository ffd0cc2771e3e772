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

const WIDTH = 4

/**
 * So many names for what is asked for at once: one tail, and a running number by which they sort in their order. Random
 * tails of a second are few: among thousands two would be equal.
 */
export const several = (count: number): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(make, (name) => {
    if (count === 1) return [name]
    const width = Math.max(WIDTH, String(count).length)
    return Array.from({ length: count }, (_, at) => `${name}-${String(at + 1).padStart(width, "0")}`)
  })
