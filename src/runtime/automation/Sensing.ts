/** Asks a sensor. Each is a concern of its own: one that hangs, throws or cannot be recorded holds nobody up. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as Metadata from "../asset/Metadata.ts"
import { message } from "../run/CauseText.ts"
import * as RunId from "../run/RunId.ts"
import { AutomationStore, type Memory } from "../store/AutomationStore.ts"
import { DynamicPartitions } from "../store/DynamicPartitions.ts"
import { type RequestedRun, RunStore } from "../store/RunStore.ts"
import * as Leaving from "./Leaving.ts"
import { requestOf } from "./Schedule.ts"
import * as Sensor from "./Sensor.ts"
import { record, TAG } from "./Ticker.ts"
import * as Watch from "./Watch.ts"

class SensorTimeout extends Schema.TaggedError<SensorTimeout>()("SensorTimeout", { message: Schema.String }) {}

const timedOut = ({ timeout }: Sensor.Sensor) =>
  new SensorTimeout({ message: `no answer within ${Duration.format(Duration.millis(timeout))}` })

const answerOf = <R>(self: Sensor.Sensor<R>, cursor: string | undefined) =>
  Leaving.timeoutOrElse(Effect.suspend(() => self.look({ cursor })), {
    duration: self.timeout,
    orElse: () => Effect.fail(timedOut(self))
  })

/** A key is in an index, where PostgreSQL takes 2700 bytes: four for each character, and the sensor's name. */
const LONGEST = 500

/** A longer key is known by its beginning and its hash. */
const keyOf = (self: Sensor.Sensor, key: string): string => {
  const short = key.length <= LONGEST
    ? key
    : `${key.slice(0, LONGEST).toWellFormed()}… ${Crypto.createHash("sha256").update(key).digest("hex")}`
  return `${Sensor.keyOf(self)}@${short}`
}

const runOf = (self: Sensor.Sensor, wanted: Sensor.Wanted, runId: string): RequestedRun => {
  const { priority = 0, runKey, tags, ...words } = wanted
  return {
    runId,
    runKey: keyOf(self, runKey),
    request: requestOf(words),
    tags: { ...tags, [TAG]: Sensor.keyOf(self) },
    priority,
    attempts: self.attempts
  }
}

/** Members, runs, cursor and tick are one transaction: a look that is cut off before it has not happened. */
const apply = Effect.fnUntraced(
  function*(self: Sensor.Sensor, found: Sensor.Found, memory: Memory | undefined, due: number) {
    const at = yield* Clock.currentTimeMillis
    for (const [set, members] of Object.entries(found.members ?? {})) {
      yield* (yield* DynamicPartitions).add(set, members.map((one) => typeof one === "string" ? { value: one } : one))
    }
    const ids = yield* RunId.several(found.runs?.length ?? 0)
    const wanted = (found.runs ?? []).map((one, at) => runOf(self, one, ids[at]!))
    const runs = wanted.length === 0 ? [] : yield* (yield* RunStore).request(wanted)
    const known = wanted.length > runs.length ? "asked for before" : undefined
    yield* record(self, memory, found.cursor ?? memory?.cursor, [{
      name: Sensor.keyOf(self),
      due,
      at,
      outcome: runs.length > 0 ? "requested" : "skipped",
      why: found.why ?? known,
      runs
    }])
  }
)

/** An answer that the store refuses is the sensor's failure; one that is not written for want of a store is nobody's. */
const evaluate = <R>(self: Sensor.Sensor<R>, memory: Memory | undefined, due: number, fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const exit = yield* answerOf(self, Sensor.cursorOf(memory?.cursor)).pipe(
      Effect.flatMap((found) => fenced(apply(self, Metadata.cleanTexts(found), memory, due))),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return
    const at = yield* Clock.currentTimeMillis
    const tick = { name: Sensor.keyOf(self), due, at, outcome: "failed", why: message(exit.cause), runs: [] } as const
    yield* fenced(record(self, memory, memory?.cursor, [tick]))
  })

/** When each sensor was last asked, by its name: a store that refuses its ticks does not know. */
export type Asked = Map<string, number>

const look = <R>(self: Sensor.Sensor<R>, fenced: Watch.Fenced, asked: Asked) =>
  Effect.gen(function*() {
    const store = yield* AutomationStore
    const memory = (yield* store.all).get(Sensor.keyOf(self))
    const now = yield* Clock.currentTimeMillis
    if (memory?.paused ?? self.paused) return undefined
    const askedAt = asked.get(self.name) ?? memory?.tickedAt
    const due = Sensor.next(self, askedAt, memory?.failures ?? 0)
    // A clock that was set back would keep it silent.
    const isAhead = askedAt !== undefined && askedAt > now
    if (due > now && !isAhead) return due
    const answered = Effect.map(Clock.currentTimeMillis, (at) => void asked.set(self.name, at))
    yield* evaluate(self, memory, Math.max(due, 0) || now, fenced).pipe(
      Effect.onExit((exit) => Exit.hasInterrupts(exit) ? Effect.void : answered)
    )
    // What is known by now says when the next look is.
    return now
  })

/** Never ends; fails when it cannot write. Whoever runs it again with what was `asked` asks no sooner. */
export const run = <R>(self: Sensor.Sensor<R>, fenced: Watch.Fenced, asked: Asked) =>
  Watch.watch(
    ({ _tag }) => _tag === "AutomationChanged" || _tag === "Connected",
    look(self, fenced, asked)
  ).pipe(Effect.annotateLogs({ automation: Sensor.keyOf(self) }))
