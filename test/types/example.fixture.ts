// Every error that the compiler reports here carries `// ~ a part of its message`, and every such comment has its error.
import * as Effect from "effect/Effect"

export const fine: Effect.Effect<number> = Effect.succeed(1)

export const wrong: Effect.Effect<string> = Effect.succeed(1) // ~ Type 'number' is not assignable to type 'string'

export const failing: Effect.Effect<number> = Effect.fail("no") // ~ not assignable to type 'never'
