/**
 * The supervisor: one daemon leads and does everything; the others stand by and take over.
 *
 *     stands by --lease is free--> leads --lost the lease, or the database--> stands by
 *                                    └--asked to stop--> drains --> hands the lead over --> ends
 *
 * All that a leader does hangs on its term: it stops the moment the term ends, what it writes is fenced by it, and the
 * next leader takes the runs of earlier terms from whoever still holds them. Changes of the graph replace the concerns;
 * runs go on with the graph that they began with.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { message } from "../run/CauseText.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { type Leader, Leadership, NotLeader } from "../store/Leadership.ts"
import { RunStore } from "../store/RunStore.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as Backfilling from "./Backfilling.ts"
import * as Conditions from "./Conditions.ts"
import * as DaemonMetrics from "./DaemonMetrics.ts"
import * as FreshnessWatch from "./FreshnessWatch.ts"
import * as Launcher from "./Launcher.ts"
import * as Leaving from "./Leaving.ts"
import * as Notifier from "./Notifier.ts"
import type { Project } from "./Project.ts"
import * as Pulse from "./Pulse.ts"
import * as Recovery from "./Recovery.ts"
import * as RunWatch from "./RunWatch.ts"
import * as Sensing from "./Sensing.ts"
import * as Ticker from "./Ticker.ts"
import * as Undeclared from "./Undeclared.ts"
import type { Fenced } from "./Watch.ts"

export interface Options {
  /** Names the process to a person. */
  readonly holder: string
  /** How long a leader that says nothing still leads: a shorter lease is a quicker takeover, and less patience with a slow server. */
  readonly lease: Duration.Duration
  /** Runs at a time. */
  readonly slots: number
  /** How long runs may go on once the daemon is asked to stop. */
  readonly drain: Duration.Duration
  /** Ends when the drain is to be over at once. */
  readonly hurried?: Effect.Effect<void> | undefined
  readonly retention: Recovery.Retention
  /** Hears when the lead is won or lost. */
  readonly leads: (term: number | undefined) => Effect.Effect<void>
}

/** Each run holds a connection for its claims; the rest of the process's 24 are for its statements and the lease. */
export const MOST_SLOTS = 16

export const defaults = {
  lease: Duration.seconds(6),
  slots: 4,
  drain: Duration.seconds(30),
  retention: { ticks: Duration.toMillis("30 days"), events: Duration.toMillis("180 days") }
}

/** Looks of these take no longer than their statements: one that takes a minute hangs. */
const moving = <A, E, R>(loop: string, concern: Effect.Effect<A, E, R>) =>
  Effect.provideService(concern, Pulse.Loop, loop)

/** How soon a concern that failed begins anew. */
const AFTER_FAILURE = "5 seconds"

/** What goes wrong in one concern is that one's; only the end of the term ends them all. */
const contained = <E, R>(name: string, concern: Effect.Effect<never, E, R>): Effect.Effect<never, NotLeader, R> =>
  concern.pipe(
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      return error instanceof NotLeader
        ? Effect.fail(error)
        : Effect.andThen(Effect.logWarning(`${name}: ${message(cause)}`), Effect.sleep(AFTER_FAILURE))
    }),
    Effect.forever
  )

/** The services of a graph that was read again stand before those that were there. Runs take them along. */
const concerns = <R>(project: Project<R>, leading: Leading) =>
  Effect.provideContext(allConcerns(project, leading), project.services ?? Context.empty())

const allConcerns = <R>(project: Project<R>, { asked, fenced, options, running, term }: Leading) =>
  Effect.gen(function*() {
    const schedules = project.automations.filter((one) => one._tag === "Schedule")
    const sensors = project.automations.filter((one) => one._tag === "Sensor")
    const alerts = yield* Notifier.make({ fenced, policy: project.alertPolicy ?? AlertPolicy.standard })
    return yield* Effect.all([
      contained("schedules", moving("schedules", Ticker.run(schedules, fenced))),
      contained("conditions", moving("conditions", Conditions.run(project.graph, fenced))),
      ...sensors.map((self) => contained(`sensor ${self.name}`, Sensing.run(self, fenced, asked))),
      contained("runs", moving("runs", Launcher.run(project, running, { term, slots: options.slots }))),
      contained("backfills", Backfilling.run(project, running, fenced, term)),
      contained("recovery", moving("recovery", Recovery.run(fenced))),
      contained("retention", Recovery.retain(options.retention, fenced)),
      contained("freshness", FreshnessWatch.run(project.graph, fenced)),
      contained("alerts", Effect.andThen(Undeclared.settle(project, fenced), alerts.run)),
      contained("undeclared", Undeclared.run(project, fenced)),
      contained("ended runs", RunWatch.run(alerts.runsEnded))
    ], { concurrency: "unbounded", discard: true })
  })

/** What the concerns of one term share. */
interface Leading {
  readonly options: Options
  readonly term: number
  readonly fenced: Fenced
  readonly running: Launcher.Running
  readonly asked: Sensing.Asked
}

/** Begins anew with every graph that comes. */
const work = <R, P>(projects: Stream.Stream<Project<R>, never, P>, leading: Leading) =>
  Stream.runDrain(
    Stream.switchMap(projects, (project) => Stream.fromEffect(concerns(project, leading)))
  )

/** Runs may end by themselves for a while; the rest is interrupted with the scope. */
const drained = ({ fibers }: Launcher.Running, { drain, hurried = Effect.never }: Options) =>
  Effect.gen(function*() {
    const count = yield* FiberMap.size(fibers)
    if (count > 0) {
      yield* Effect.logInfo(
        `stopping: ${count} ${count === 1 ? "run" : "runs"} may go on for ${Duration.format(drain)}`
      )
    }
    yield* Effect.raceFirst(Effect.timeoutOption(FiberMap.awaitEmpty(fibers), drain), hurried)
  })

/** Nobody waits longer for what a database that hangs would have to answer. */
class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", { message: Schema.String }) {}

const answered = <A, E, R>(effect: Effect.Effect<A, E, R>, duration: Duration.Duration) =>
  Leaving.timeoutOrElse(effect, {
    duration,
    orElse: () => Effect.fail(new NoAnswer({ message: `no answer within ${Duration.format(duration)}` }))
  })

/** Fails when the term ends. */
const keep = (term: number, lease: Duration.Duration) =>
  Effect.gen(function*() {
    const leadership = yield* Leadership
    const millis = Duration.toMillis(lease)
    let kept = yield* Clock.currentTimeMillis
    while (true) {
      yield* Pulse.beat("lead")
      yield* Effect.sleep(millis / 3)
      const asked = yield* Clock.currentTimeMillis
      // A server that does not answer may answer the next time, until the lease is over.
      yield* answered(leadership.renew(term, millis), Duration.millis(millis / 3)).pipe(
        Effect.andThen(Effect.sync(() => void (kept = asked))),
        Effect.catchIf(
          (error) => error._tag !== "NotLeader" && asked - kept < millis * 2 / 3,
          (error) => Effect.logWarning(`the lease was not renewed: ${error.message}`)
        )
      )
    }
  })

const told = (options: Options, term: number | undefined) =>
  Effect.andThen(DaemonMetrics.leads(term), options.leads(term))

/** The daemon that led before was gone, and had not handed the lead over. */
const tookOver = (term: number, holder: string) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    yield* (yield* AlertStore).observe(AlertPolicy.ofTakeover(now, term, holder))
  })

/** For the statements of a takeover, some of which go over all runs that go on. */
const TAKEOVER = Duration.seconds(30)

/** `after` is the leader before, when it did not hand the lead over. */
interface Won {
  readonly term: number
  readonly after: Leader | undefined
}

/** What others are told of a new leader, and the runs that it takes from the one before. */
const takenOver = ({ after, term }: Won, { holder }: Options) =>
  Effect.gen(function*() {
    const leadership = yield* Leadership
    if (after !== undefined) yield* leadership.fenced(term)(tookOver(term, holder))
    const seized = yield* (yield* RunStore).seize(term)
    if (seized.length > 0) yield* Effect.logWarning(`taken from the leader before: ${seized.join(", ")}`)
  })

/** `ended` is done as soon as the term is over. */
const leading = <R, P>(
  projects: Stream.Stream<Project<R>, never, P>,
  options: Options,
  won: Won,
  ended: Deferred.Deferred<void>
) =>
  Effect.scoped(Effect.gen(function*() {
    const leadership = yield* Leadership
    const { term } = won
    const kept = yield* Effect.forkScoped(
      Effect.ensuring(keep(term, options.lease), Deferred.succeed(ended, undefined))
    )
    yield* answered(takenOver(won, options), TAKEOVER)
    const running = yield* Launcher.running
    const leading = { options, term, running, asked: new Map(), fenced: leadership.fenced(term) }
    // The lease is kept while runs drain. In a fiber of its own, since this one is interrupted.
    const drain = Effect.flatMap(Effect.forkDetach(drained(running, options)), Fiber.await)
    yield* Effect.raceFirst(work(projects, leading), Fiber.join(kept)).pipe(
      Effect.onInterrupt(() => drain),
      Effect.ensuring(Deferred.succeed(ended, undefined))
    )
  })).pipe(
    Effect.ensuring(
      Effect.flatMap(Leadership, (leadership) => Effect.ignore(answered(leadership.resign(won.term), options.lease)))
    )
  )

/**
 * A term that is over and does not come to its end, since the statements of its runs hang, is left behind: it writes nothing
 * any more, and the next one, maybe of this process, does not wait for it.
 */
const lead = <R, P>(projects: Stream.Stream<Project<R>, never, P>, options: Options, won: Won) =>
  Effect.gen(function*() {
    yield* Effect.logInfo(`leads, term ${won.term}`)
    yield* told(options, won.term)
    const ended = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkDetach(leading(projects, options, won, ended), { startImmediately: true })
    const late = answered(Effect.never, options.lease)
    yield* Effect.raceFirst(Fiber.join(fiber), Effect.andThen(Deferred.await(ended), late)).pipe(
      Effect.onInterrupt(() => Fiber.interrupt(fiber))
    )
  }).pipe(Effect.ensuring(told(options, undefined)))

/** How soon a daemon tries again that lost the database. */
const AGAIN = Schedule.spaced("1 second")

/** Of a leader that handed over, nothing is left of the lease. */
const lost = (before: Leader | undefined): Leader | undefined =>
  before === undefined || before.expiresAt <= before.since ? undefined : before

/** Waits for the lead. */
const acquired = ({ holder, lease }: Options) =>
  Effect.gen(function*() {
    const leadership = yield* Leadership
    const millis = Duration.toMillis(lease)
    let told = false
    while (true) {
      yield* Pulse.beat("lead")
      const [before, term] = yield* answered(
        Effect.all([leadership.leader, leadership.acquire(holder, millis)]),
        lease
      )
      if (term !== undefined) return { term, after: lost(before) } satisfies Won
      if (!told) yield* Effect.logInfo(`stands by: ${before?.holder} leads, term ${before?.term}`)
      told = true
      yield* Effect.sleep(millis / 6)
    }
  })

/** `projects` begins with the latest graph. Never ends by itself. Interrupted, it drains what goes on and hands the lead over. */
export const run = <R, P>(projects: Stream.Stream<Project<R>, never, P>, options: Options) =>
  Effect.andThen(
    DaemonMetrics.leads(undefined),
    acquired(options).pipe(
      Effect.flatMap((won) => lead(projects, options, won)),
      Effect.tapCause((cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logWarning(`lost the lead: ${message(cause)}`)
      ),
      Effect.retry(AGAIN),
      Effect.forever
    )
  )
