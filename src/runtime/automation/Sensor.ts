/**
 * What is asked for when something outside says so: an effect that looks, with a cursor of its own, and answers which runs
 * it wants. A run key is asked for once, however often the sensor names it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Member } from "../partition/Partitions.ts"
import type { Tags } from "../run/Admission.ts"
import * as Declaration from "./Declaration.ts"
import { type Words, words } from "./Schedule.ts"

/** The sensor cannot be; the message says what is wrong with it. */
export class SensorError extends Schema.TaggedError<SensorError>()("SensorError", {
  message: Schema.String
}) {}

/** A run that the sensor wants. */
export interface Wanted extends Words {
  /** Of this sensor: one key, one run. */
  readonly runKey: string
  readonly tags?: Tags
  readonly priority?: number
}

export interface Found {
  readonly runs?: ReadonlyArray<Wanted>
  /** Handed in at the next look; the old one stays when it is left out. */
  readonly cursor?: string
  /** Members that come to dynamic partition sets that the definitions do not list, before the runs are asked for. */
  readonly members?: { readonly [set: string]: ReadonlyArray<string | Member> }
  /** Why there is nothing to do. */
  readonly why?: string
}

/** What the sensor is told. */
export interface Look {
  /** Of the last look that succeeded. */
  readonly cursor: string | undefined
}

export interface Options {
  /** Between two looks. */
  readonly every: Duration.Input
  /** Longest time for a look; a minute when left out. */
  readonly timeout?: Duration.Input
  readonly description?: string
  /** How often a run that is cut off is taken up, the first time included; 3 when left out. */
  readonly attempts?: number
  readonly paused?: boolean
}

export interface Sensor<out R = unknown> {
  readonly _tag: "Sensor"
  readonly name: string
  readonly description: string
  /** Milliseconds. */
  readonly every: number
  readonly timeout: number
  readonly attempts: number
  readonly paused: boolean
  readonly look: (look: Look) => Effect.Effect<Found, unknown, R>
}

const Answer = Schema.Struct({
  runs: Schema.optional(Schema.Array(Schema.Struct({
    ...words,
    runKey: Schema.String.check(Schema.isNonEmpty()),
    tags: Schema.optional(Declaration.tags),
    priority: Schema.optional(Declaration.priority)
  }))),
  cursor: Schema.optional(Schema.String),
  members: Schema.optional(Schema.Record(
    Schema.String,
    Schema.Array(Schema.Union([
      Schema.String,
      Schema.Struct({
        value: Schema.String,
        from: Schema.optional(Schema.String),
        to: Schema.optional(Schema.String)
      })
    ]))
  )),
  why: Schema.optional(Schema.String)
})

/** What a look found, or why that is no answer of a sensor's. */
const decode = (found: Found): Result.Result<Found, SensorError> =>
  Result.mapError(
    Declaration.check(Answer, found, "its answer"),
    (problem) => new SensorError({ message: `what it answers cannot be used: ${problem}` })
  )

const Declared = Schema.Struct({
  every: Declaration.span(1),
  timeout: Schema.optional(Declaration.span(1)),
  description: Schema.optional(Schema.String),
  attempts: Schema.optional(Declaration.attempts),
  paused: Schema.optional(Schema.Boolean)
})

const orThrow = (name: string, result: Result.Result<unknown, string>): void => {
  if (Result.isSuccess(result)) return
  throw new SensorError({ message: `Sensor "${name}" cannot be declared so: ${result.failure}` })
}

/** Throws `SensorError`. */
export const make = <E, R>(
  name: string,
  options: Options,
  look: (look: Look) => Effect.Effect<Found, E, R>
): Sensor<R> => {
  orThrow(name, Declaration.check(Declaration.name, name, "the name"))
  orThrow(name, Declaration.known(options, Object.keys(Declared.fields)))
  orThrow(name, Declaration.check(Declared, options, "what follows the name"))
  return {
    _tag: "Sensor",
    name,
    description: options.description ?? "",
    every: Duration.toMillis(options.every),
    timeout: Duration.toMillis(options.timeout ?? "1 minute"),
    attempts: options.attempts ?? 3,
    paused: options.paused ?? false,
    look: (at) => Effect.flatMap(Effect.suspend(() => look(at)), (found) => Effect.fromResult(decode(found)))
  }
}

class MembersAreConfigured extends Schema.TaggedError<MembersAreConfigured>()("MembersAreConfigured", {
  message: Schema.String
}) {}

/** The sets that get members. */
const grown = (found: Found): ReadonlyArray<string> =>
  Object.entries(found?.members ?? {}).flatMap(([set, members]) => members.length > 0 ? [set] : [])

/**
 * The same sensor, whose look fails where it adds to a set whose members are configured: they are made those of the set
 * before each run, so what it adds would be gone with the next one.
 */
export const besides = <R>(
  self: Sensor<R>,
  configured: Effect.Effect<{ readonly [set: string]: unknown }, unknown>
): Sensor<R> => ({
  ...self,
  look: Effect.fnUntraced(function*(look) {
    const found = yield* self.look(look)
    const sets = grown(found)
    if (sets.length === 0) return found
    const members = yield* configured
    const set = sets.find((one) => Object.hasOwn(members, one))
    if (set === undefined) return found
    const message = `set "${set}" is listed in the members of the definitions: a sensor cannot add to it`
    return yield* new MembersAreConfigured({ message })
  })
})

/** What it is called where kinds mix. */
export const keyOf = ({ name }: Pick<Sensor, "name">): string => `sensor/${name}`

/** A sensor that fails is asked less often, up to once in ten minutes. */
const SELDOM = 600_000

/** Epoch milliseconds of the next look. */
export const next = ({ every }: Pick<Sensor, "every">, tickedAt: number | undefined, failures: number): number =>
  tickedAt === undefined
    ? 0
    : tickedAt + Math.max(every, Math.min(SELDOM, every * 2 ** Math.min(failures, 20)))

/** The cursor as it is kept. */
export const cursorOf = (kept: unknown): string | undefined => Predicate.isString(kept) ? kept : undefined
