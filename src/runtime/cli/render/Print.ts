/** Where words leave the program: data on stdout, talk on stderr. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const withoutBigInt = (_: string, value: unknown): unknown => typeof value === "bigint" ? value.toString() : value

export const lines = (texts: ReadonlyArray<string>): Effect.Effect<void> => Console.log(texts.join("\n"))

export const json = (value: unknown): Effect.Effect<void> => Console.log(JSON.stringify(value, withoutBigInt, 2))

export const talk = (text: string): Effect.Effect<void> => Console.error(text)

/** As it is, without a line end: for a picture that is drawn in place. */
export const raw = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(text))
