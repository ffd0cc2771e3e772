/**
 * What is asked for when the clock says so: a cron in a time zone, and what to do about ticks that were missed and runs
 * that are not over. Pure: `decide` says what becomes of the ticks since the last look.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Metadata from "../asset/Metadata.ts"
import * as Cron from "../partition/Cron.ts"
import * as Zone from "../partition/Zone.ts"
import type * as RunRequest from "../plan/RunRequest.ts"
import { KINDS } from "../plan/Staleness.ts"
import type { Tags } from "../run/Admission.ts"
import * as CauseText from "../run/CauseText.ts"
import type { NewTick } from "../store/Tick.ts"
import * as Declaration from "./Declaration.ts"

/** The schedule cannot be; the message says what is wrong with it. */
export class ScheduleError extends Schema.TaggedError<ScheduleError>()("ScheduleError", {
  message: Schema.String
}) {}

/** Of ticks that nobody was there for: all of them, the last one, or none that is late. */
export type CatchUp = "all" | "last" | "none"

/** While a run of the schedule is not over: ask for the next one too, do not, or cancel the old one. */
export type Overlap = "queue" | "skip" | "cancel"

/** As on the command line; all partitions that exist by then when `partition` is left out. */
export interface Words {
  /** With the ancestors that need it. */
  readonly assets?: ReadonlyArray<string>
  /** Exactly these, in the selection language; instead of `assets`. */
  readonly select?: string
  readonly partition?: string
  readonly force?: boolean
  readonly only?: RunRequest.RunRequest["only"]
}

export interface Options {
  /** Five fields, or a name such as `@daily`. */
  readonly cron: string
  readonly zone: string
  /** What to ask for; a function gets the tick's instant, epoch milliseconds. */
  readonly request: Words | ((tick: number) => Words)
  readonly description?: string
  /** `last` when left out. */
  readonly catchUp?: CatchUp
  /** `skip` when left out: what the old run does not do, the next tick asks for; `queue` where all ticks are to be made up. */
  readonly overlap?: Overlap
  /** Each tick begins up to so much later, always by the same: spreads the load on a vendor. */
  readonly jitter?: Duration.Input
  readonly tags?: Tags
  readonly priority?: number
  /** How often a run that is cut off is taken up, the first time included; 3 when left out. */
  readonly attempts?: number
  /** Does nothing until somebody resumes it. */
  readonly paused?: boolean
}

export interface Schedule {
  readonly _tag: "Schedule"
  readonly name: string
  readonly description: string
  readonly cron: Cron.Cron
  readonly zone: Zone.Zone
  readonly request: (tick: number) => RunRequest.RunRequest
  readonly catchUp: CatchUp
  readonly overlap: Overlap
  /** Milliseconds. */
  readonly jitter: number
  readonly tags: Tags
  readonly priority: number
  readonly attempts: number
  readonly paused: boolean
}

/** What `Words` may be. */
export const words = {
  assets: Schema.optional(Schema.Array(Schema.String)),
  select: Schema.optional(Schema.String),
  partition: Schema.optional(Schema.String),
  force: Schema.optional(Schema.Boolean),
  only: Schema.optional(Schema.Literals(KINDS))
}

const Answer = Schema.Struct(words)

const Declared = Schema.Struct({
  cron: Schema.String,
  zone: Schema.String,
  request: Schema.Unknown,
  description: Schema.optional(Schema.String),
  catchUp: Schema.optional(Schema.Literals(["all", "last", "none"])),
  overlap: Schema.optional(Schema.Literals(["queue", "skip", "cancel"])),
  jitter: Schema.optional(Declaration.span(0)),
  tags: Schema.optional(Declaration.tags),
  priority: Schema.optional(Declaration.priority),
  attempts: Schema.optional(Declaration.attempts),
  paused: Schema.optional(Schema.Boolean)
})

export const requestOf = ({ assets = [], force = false, only = "all", partition, select }: Words) => ({
  assets,
  select: select ?? null,
  partition: partition ?? null,
  force,
  only
})

const orThrow = <A>(name: string, result: Result.Result<A, string>): A => {
  if (Result.isSuccess(result)) return result.success
  throw new ScheduleError({ message: `Schedule "${name}" cannot be declared so: ${result.failure}` })
}

/** Throws `ScheduleError` where the function answers what is no request. */
const checked = (ask: (tick: number) => Words) => (tick: number): Words => {
  const answer = Declaration.check(Answer, ask(tick), "its answer")
  if (Result.isSuccess(answer)) return answer.success
  throw new ScheduleError({ message: `its request cannot be used: ${answer.failure}` })
}

/** What is said of a request that could not be asked for: the function is code of the project's. */
export const refusal = (error: unknown): ScheduleError =>
  error instanceof ScheduleError
    ? error
    : new ScheduleError({ message: `its request throws: ${CauseText.clean(String(error))}` })

/** Throws `ScheduleError`. */
export const make = (name: string, options: Options): Schedule => {
  orThrow(name, Declaration.check(Declaration.name, name, "the name"))
  orThrow(name, Declaration.known(options, Object.keys(Declared.fields)))
  orThrow(name, Declaration.check(Declared, options, "what follows the name"))
  const { request } = options
  if (typeof request !== "function") {
    orThrow(name, Declaration.known(request, Object.keys(words), "request."))
    orThrow(name, Declaration.check(Schema.Struct({ request: Answer }), { request }))
  }
  const ask = typeof request === "function" ? checked(request) : () => request
  return {
    _tag: "Schedule",
    name,
    description: options.description ?? "",
    cron: orThrow(name, Cron.parse(options.cron)),
    zone: orThrow(name, Zone.make(options.zone)),
    request: (tick) => Metadata.cleanTexts(requestOf(ask(tick))),
    catchUp: options.catchUp ?? "last",
    overlap: options.overlap ?? (options.catchUp === "all" ? "queue" : "skip"),
    jitter: Duration.toMillis(options.jitter ?? 0),
    tags: Metadata.cleanTexts(options.tags ?? {}),
    priority: options.priority ?? 0,
    attempts: options.attempts ?? 3,
    paused: options.paused ?? false
  }
}

/** What it is called where kinds mix. */
export const keyOf = ({ name }: Pick<Schedule, "name">): string => `schedule/${name}`

/** One tick, one run. */
export const runKey = (self: Schedule, tick: number): string => `${keyOf(self)}@${new Date(tick).toISOString()}`

/** Somewhere in the jitter, the same for the same tick. FNV-1a spreads texts that differ in few characters. */
export const startOf = (self: Schedule, tick: number): number => {
  if (self.jitter === 0) return tick
  let hash = 0x811c9dc5
  for (const letter of runKey(self, tick)) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0
  return tick + hash % self.jitter
}

/** A clock that was set back by more than this was wrong before: nobody waits until it is as late again. */
export const WRONG = 86_400_000

/** A tick that is looked at later than this was missed. */
const LATE = 120_000

/** More ticks than these are not made up one by one. */
const MOST = 1000

export interface Decided extends Omit<NewTick, "runs"> {
  /** Ask for a run. */
  readonly isWanted: boolean
}

const judge = (self: Schedule, tick: number, isLast: boolean, now: number): string | undefined => {
  if (self.catchUp === "all" || isLast && self.catchUp === "last" || now - tick <= LATE) return undefined
  return self.catchUp === "last" ? "missed; a later tick stands for it" : "missed; catch-up is none"
}

/**
 * What becomes of the ticks in (since, now]. `going` names the runs of the schedule that are not over. The latest tick is
 * the last of the answer: the next look is since then.
 */
export const decide = (
  self: Schedule,
  { going, isPaused, now, since }: {
    readonly since: number
    readonly now: number
    readonly isPaused: boolean
    readonly going: ReadonlyArray<string>
  }
): ReadonlyArray<Decided> => {
  const all = Cron.ticks(self.cron, self.zone, since + 1, now + 1)
  let busy = going.length > 0 ? `run ${going[0]} is not over` : undefined
  return all.slice(-MOST).map((tick, at, { length }) => {
    const base = { name: keyOf(self), due: tick, at: now, why: undefined, isWanted: false }
    if (isPaused) return { ...base, outcome: "skipped", why: "paused" }
    const missed = judge(self, tick, at === length - 1, now)
    if (missed !== undefined) return { ...base, outcome: "missed", why: missed }
    if (busy !== undefined && self.overlap === "skip") return { ...base, outcome: "skipped", why: busy }
    busy = "the run of the tick before is not over"
    return { ...base, outcome: "requested", isWanted: true }
  })
}

/** The next tick after an instant; Infinity when there is none. */
export const next = (self: Schedule, after: number): number => Cron.next(self.cron, self.zone, after)
