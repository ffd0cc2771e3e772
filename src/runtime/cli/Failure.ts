/** The end of a command that did not work: what to say, how to mend it, and the exit code of its class. */
import * as Schema from "effect/Schema"

/** 1 a run failed, 2 usage, 3 configuration, 4 upstream or quota. 130, interrupted, needs no failure. */
export const ExitCode = Schema.Literals([1, 2, 3, 4])

export class Failure extends Schema.TaggedError<Failure>()("Failure", {
  exitCode: ExitCode,
  message: Schema.String,
  /** The command or setting that mends it. Empty when the message says all. */
  fix: Schema.String,
  /** The sentences of the message, where several things are wrong at once. */
  problems: Schema.optionalKey(Schema.Array(Schema.String))
}) {}

export const usage = (message: string, fix = ""): Failure => new Failure({ exitCode: 2, message, fix })

const list = (problems: ReadonlyArray<string>): string =>
  problems.length === 1
    ? problems[0]!
    : [`${problems.length} problems`, ...problems.map((one) => `  ${one}`)].join("\n")

/** One sentence, or all that is wrong. */
export const configuration = (said: string | ReadonlyArray<string>, fix: string): Failure =>
  typeof said === "string"
    ? new Failure({ exitCode: 3, message: said, fix })
    : new Failure({ exitCode: 3, message: list(said), fix, problems: said })
