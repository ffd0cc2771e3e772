import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { configured } from "../src/engine.ts"

const told = (said: { readonly message: string; readonly fix?: string }) =>
  Effect.flip(Effect.scoped(Layer.build(configured(Layer.effectDiscard(Effect.fail(said))))))

it.effect("who may not make a schema hears which right is missing", () =>
  Effect.gen(function*() {
    const message = "migrate schema staging: permission denied for database bars"
    for (const said of [{ message }, { message, fix: "see the server" }]) {
      expect(yield* told(said)).toMatchObject({
        exitCode: 3,
        message,
        fix: "the database's owner runs: grant create on database bars to USER"
      })
    }
    expect(yield* told({ message: "away", fix: "come back" })).toMatchObject({ message: "away", fix: "come back" })
    expect(yield* told({ message: "away" })).toMatchObject({ fix: expect.stringContaining("barograph doctor") })
  }))
