/** `schedule` and `sensor`: list, history, pause, resume, preview, tick, test. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Automation, keyOf } from "../../automation/Project.ts"
import * as Schedule from "../../automation/Schedule.ts"
import * as Sensor from "../../automation/Sensor.ts"
import * as Ticker from "../../automation/Ticker.ts"
import * as Cron from "../../partition/Cron.ts"
import * as CauseText from "../../run/CauseText.ts"
import * as RunId from "../../run/RunId.ts"
import { AutomationStore, type Memory } from "../../store/AutomationStore.ts"
import { RunStore } from "../../store/RunStore.ts"
import type { Tick } from "../../store/Tick.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as AutomationText from "../render/AutomationText.ts"
import * as Print from "../render/Print.ts"

type Kind = "schedule" | "sensor"

const load = Effect.flatMap(ApplicationLoader, ({ load }) => load)

const ofKind = ({ automations }: Application, kind: Kind): ReadonlyArray<Automation> =>
  automations.filter(({ _tag }) => _tag.toLowerCase() === kind)

/** Or a usage error that names those there are. */
const named = <A extends { readonly name: string }>(known: ReadonlyArray<A>, kind: Kind, name: string) => {
  const found = known.find((one) => one.name === name)
  const names = known.map((one) => one.name).join(", ")
  return found === undefined
    ? Effect.fail(
      usage(`There is no ${kind} "${name}".`, names === "" ? `barograph ${kind} list` : `there are: ${names}`)
    )
    : Effect.succeed(found)
}

/** One that is declared, or only remembered. */
interface Known {
  readonly name: string
  readonly self: Automation | undefined
}

const keyFor = (kind: Kind, { name }: Known): string => `${kind}/${name}`

const remembered = (kind: Kind, { fix, message }: Failure) =>
  Effect.gen(function*() {
    yield* Print.talk(`the definitions cannot be read, this is what is remembered: ${message} Fix: ${fix}`)
    const keys = [...(yield* (yield* AutomationStore).all).keys()].filter((key) => key.startsWith(`${kind}/`)).sort()
    return keys.map((key): Known => ({ name: key.slice(kind.length + 1), self: undefined }))
  })

/** What is declared; while that cannot be read, what the store knows. */
const known = (kind: Kind) =>
  load.pipe(
    Effect.map((application) => ofKind(application, kind).map((self): Known => ({ name: self.name, self }))),
    Effect.catch((failure) => remembered(kind, failure))
  )

const withStores = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(ApplicationLoader, ({ stores }) => Effect.flatMap(stores, (layer) => Effect.provide(effect, layer)))

const nextOf = (self: Automation, memory: Memory | undefined, now: number): number =>
  self._tag === "Schedule" ? Schedule.next(self, now) : Sensor.next(self, memory?.tickedAt, memory?.failures ?? 0)

const whenOf = (self: Automation): string =>
  self._tag === "Schedule" ? `${self.cron.text}, ${self.zone.name}` : `every ${self.every / 1000} s`

const rowOf = ({ name, self }: Known, memory: Memory | undefined, last: Tick | undefined, now: number) => {
  const paused = memory?.paused ?? self?.paused ?? null
  return {
    name,
    description: self?.description ?? "",
    when: self === undefined ? null : whenOf(self),
    paused,
    next: self === undefined || paused === true ? null : AutomationText.iso(Math.max(now, nextOf(self, memory, now))),
    failures: memory?.failures ?? 0,
    last: last ?? null
  } satisfies AutomationText.Row
}

export const list = Effect.fnUntraced(function*(kind: Kind, input: { readonly json: boolean }) {
  const rows = yield* Effect.gen(function*() {
    const store = yield* AutomationStore
    const all = yield* known(kind)
    const memories = yield* store.all
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.forEach(all, (one) => {
      const key = keyFor(kind, one)
      return Effect.map(store.ticks(key, 1), ([last]) => rowOf(one, memories.get(key), last, now))
    })
  }).pipe(withStores)
  yield* input.json ? Print.json(rows.map(AutomationText.rowToJson)) : Print.lines(AutomationText.list(kind, rows))
})

export const history = Effect.fnUntraced(
  function*(kind: Kind, input: { readonly name: string; readonly limit: number; readonly json: boolean }) {
    const ticks = yield* Effect.gen(function*() {
      const one = yield* named(yield* known(kind), kind, input.name)
      return yield* (yield* AutomationStore).ticks(keyFor(kind, one), input.limit)
    }).pipe(withStores)
    yield* input.json ? Print.json(ticks.map(AutomationText.tickToJson)) : Print.lines(AutomationText.history(ticks))
  }
)

export const setPaused = Effect.fnUntraced(function*(kind: Kind, name: string, paused: boolean) {
  yield* Effect.gen(function*() {
    const one = yield* named(yield* known(kind), kind, name)
    yield* (yield* AutomationStore).setPaused(keyFor(kind, one), paused)
  }).pipe(withStores)
  yield* Print.lines([paused ? `${name} is paused: barograph ${kind} resume ${name}` : `${name} goes on.`])
})

const DAY = 86_400_000

/** Ten years: as far as anybody plans. */
const MOST_DAYS = 3660

/** More lines than anybody reads; a tick a minute for years would take minutes to write. */
const MOST_TICKS = 10_000

const firstTicks = ({ cron, zone }: Schedule.Schedule, from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  Cron.walk(cron, zone, from, to, (tick) => found.push(tick) <= MOST_TICKS)
  return found
}

export const preview = Effect.fnUntraced(
  function*(input: { readonly name: Option.Option<string>; readonly days: number; readonly json: boolean }) {
    if (input.days < 1 || input.days > MOST_DAYS) {
      return yield* usage(`--days ${input.days} is no number of days from 1 to ${MOST_DAYS}`, "--days 14")
    }
    const application = yield* load
    const wanted = Option.isNone(input.name)
      ? ofKind(application, "schedule")
      : [yield* named(ofKind(application, "schedule"), "schedule", input.name.value)]
    const now = yield* Clock.currentTimeMillis
    const ticks = wanted.flatMap((self) =>
      self._tag !== "Schedule" ? [] : firstTicks(self, now, now + input.days * DAY).map((tick) => ({ self, tick }))
    ).sort((a, b) => a.tick - b.tick)
    const due = ticks.slice(0, MOST_TICKS).map(({ self, tick }) => ({
      schedule: self.name,
      due: AutomationText.iso(tick),
      local: AutomationText.local(self.zone, tick),
      begins: AutomationText.iso(Schedule.startOf(self, tick))
    }))
    yield* input.json ? Print.json(due) : Print.lines(AutomationText.preview(due))
    if (ticks.length > MOST_TICKS) yield* Print.talk(`only the first ${MOST_TICKS} ticks: give fewer --days`)
  }
)

const failed = (self: Automation, said: string, fix: string) =>
  new Failure({ exitCode: 1, message: `${self.name}: ${said}`, fix })

/** Of now, by hand: not later by its jitter. */
const runOf = (self: Schedule.Schedule, runId: string, now: number) =>
  Effect.try({
    try: () => ({
      ...Ticker.runOf(self, runId, now, `${Schedule.keyOf(self)}@by hand ${runId}`),
      notBefore: undefined
    }),
    catch: (error) => failed(self, Schedule.refusal(error).message, "mend its request in the definitions")
  })

export const tick = Effect.fnUntraced(function*(input: { readonly name: string; readonly json: boolean }) {
  const application = yield* load
  const self = yield* named(ofKind(application, "schedule"), "schedule", input.name)
  if (self._tag !== "Schedule") return
  const runId = yield* Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const id = yield* RunId.make
    const runs = yield* (yield* RunStore).request([yield* runOf(self, id, now)])
    const tick = { name: Schedule.keyOf(self), due: now, at: now, outcome: "requested", why: "by hand", runs } as const
    yield* (yield* AutomationStore).note(tick)
    return id
  }).pipe(Effect.provide(application.layer))
  yield* input.json
    ? Print.json({ runId })
    : Print.lines([`Run ${runId} is asked for; a daemon takes it: barograph run show ${runId}`])
})

/** Looks once; what it found is told and forgotten. */
export const test = Effect.fnUntraced(function*(input: { readonly name: string; readonly json: boolean }) {
  const application = yield* load
  const self = yield* named(ofKind(application, "sensor"), "sensor", input.name)
  if (self._tag !== "Sensor") return
  const found = yield* Effect.gen(function*() {
    const memory = (yield* (yield* AutomationStore).all).get(keyOf(self))
    const cursor = Sensor.cursorOf(memory?.cursor)
    return { before: cursor ?? null, found: yield* self.look({ cursor }) }
  }).pipe(
    Effect.timeout(self.timeout),
    Effect.catchCause((cause) => Effect.fail(failed(self, CauseText.message(cause), ""))),
    Effect.provide(application.layer)
  )
  yield* input.json ? Print.json(found) : Print.lines(AutomationText.found(found.before, found.found))
})
