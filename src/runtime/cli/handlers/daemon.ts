/** `daemon`, and `daemon status`. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Os from "node:os"
import * as Process from "node:process"
import * as Address from "../../api/Address.ts"
import * as AlertPolicy from "../../automation/AlertPolicy.ts"
import * as Daemon from "../../automation/Daemon.ts"
import * as DaemonMetrics from "../../automation/DaemonMetrics.ts"
import * as DaemonStatus from "../../automation/DaemonStatus.ts"
import * as Leaving from "../../automation/Leaving.ts"
import type { Project } from "../../automation/Project.ts"
import { AlertStore } from "../../store/AlertStore.ts"
import { type Application, ApplicationLoader, type Reloaded } from "../Application.ts"
import { configuration, Failure, usage } from "../Failure.ts"
import * as DaemonText from "../render/DaemonText.ts"
import * as Print from "../render/Print.ts"
import * as SimulationProgress from "../render/SimulationProgress.ts"
import * as SimulationText from "../render/SimulationText.ts"
import * as Stopping from "../Stopping.ts"

export interface Input {
  readonly slots: number
  readonly lease: Duration.Duration
  readonly drain: Duration.Duration
  readonly listen: Option.Option<string>
  readonly simulate: Option.Option<Duration.Duration>
  readonly json: boolean
}

/** Empty is off, for those who set variables in a file. */
const listenAddress = (text: Option.Option<string>) => {
  const given = Option.getOrElse(text, () => "").trim()
  const address = Address.parse(given)
  return given === "" || address !== undefined
    ? Effect.succeed(address)
    : Effect.fail(usage(`--listen ${given} is no address`, "--listen 127.0.0.1:4180"))
}

const served = Effect.fnUntraced(function*(address: Address.Address, term: () => number | undefined) {
  const { serve } = yield* Effect.promise(() => import("../../api/Server.ts"))
  const listening = yield* Effect.mapError(
    serve(address, term),
    ({ message }) => configuration(message, `--listen ${address.host}:PORT with another port`)
  )
  yield* Effect.logInfo(`listens on http://${listening}: /health, /ready, /status, /metrics`)
})

const load = Effect.flatMap(ApplicationLoader, ({ load }) => load)

/** Loaded with the question: nobody else needs a clock that is turned. */
const simulate = Effect.fnUntraced(function*(application: Application, span: Duration.Duration, json: boolean) {
  const Simulation = yield* Effect.promise(() => import("../../automation/Simulation.ts"))
  const progress = yield* SimulationProgress.make(span)
  const found = yield* Simulation.run(application, span, progress.observe).pipe(
    Effect.ensuring(progress.close),
    Effect.mapError(({ message }) => new Failure({ exitCode: 1, message, fix: "barograph check" }))
  )
  yield* json
    ? Print.json(SimulationText.toJson(found))
    : Print.lines(SimulationText.render(found, application.pools))
})

const told = (error: string | undefined) =>
  Effect.gen(function*() {
    const findings = AlertPolicy.ofDefinitions(yield* Clock.currentTimeMillis, error)
    yield* Effect.ignore((yield* AlertStore).observe(findings))
  })

/** A layer that waits for what never comes would keep every later graph from being used, without a word. */
const PATIENCE = Duration.seconds(60)

/** What acquires a resource cannot be interrupted, and is left behind. */
const built = ({ layer }: Reloaded) =>
  Leaving.timeoutOrElse(Effect.flatMap(Effect.scope, (scope) => Layer.buildWithScope(layer, scope)), {
    duration: PATIENCE,
    orElse: () =>
      Effect.fail(configuration(
        `The layer was not built within ${Duration.format(PATIENCE)}.`,
        "see that nothing in it waits for what may never come"
      ))
  })

/** A graph that cannot be read is told, and the last good one goes on. */
const reloaded = (read: Result.Result<Reloaded, Failure>) =>
  Effect.gen(function*() {
    const found = yield* Effect.result(Effect.gen(function*() {
      const found = yield* Effect.fromResult(read)
      const services = yield* built(found)
      return { ...found.project, services: services as Context.Context<never> } satisfies Project
    }))
    const error = Result.isFailure(found) ? found.failure.message : undefined
    yield* error === undefined
      ? Effect.logInfo("the definitions have changed: the new graph is used from now on")
      : Effect.logWarning(`the definitions have changed and cannot be used, the last good ones stay: ${error}`)
    yield* told(error)
    return found
  })

/**
 * The latest graph, and then each one that replaces it, whenever somebody begins to listen: who stands by keeps up too, and
 * a second term does not begin with the graph of the first.
 */
export const projects = (application: Pick<Application, "reloads"> & Project) =>
  Effect.gen(function*() {
    const latest = yield* SubscriptionRef.make<Project>(application)
    yield* DaemonMetrics.atZero(application)
    // It could be read: a daemon that ended while it could not has told of that.
    yield* told(undefined)
    const follow = (found: Result.Result<Project, Failure>) =>
      Result.isSuccess(found)
        ? Effect.andThen(DaemonMetrics.atZero(found.success), SubscriptionRef.set(latest, found.success))
        : Effect.void
    yield* (application.reloads ?? Stream.empty).pipe(
      Stream.mapEffect(reloaded),
      Stream.runForEach(follow),
      Effect.forkScoped
    )
    return SubscriptionRef.changes(latest)
  })

export const daemon = Effect.fnUntraced(function*(input: Input) {
  if (input.slots < 1) return yield* usage(`--slots ${input.slots} is no number of runs`, "--slots 4")
  if (input.slots > Daemon.MOST_SLOTS) {
    return yield* usage(
      `--slots ${input.slots} is more than a daemon has connections for`,
      `--slots ${Daemon.MOST_SLOTS} at most; a run does many steps at a time, see BAROGRAPH_CONCURRENCY`
    )
  }
  const address = yield* listenAddress(input.listen)
  const application = yield* load
  const isSimulation = Option.isSome(input.simulate)
  // Whoever reads the log of a daemon can read all of it.
  yield* Effect.forEach(application.notices, isSimulation ? Print.talk : (notice) => Effect.logInfo(notice))
  if (isSimulation) return yield* simulate(application, input.simulate.value, input.json)
  let term: number | undefined
  return yield* Stopping.bounded(input.drain, (hurried) =>
    Effect.scoped(Effect.gen(function*() {
      const latest = yield* projects(application)
      if (address !== undefined) yield* served(address, () => term)
      // Spans are made where there is a collector, which does not come to ask how things stand.
      if (yield* References.TracerEnabled) {
        yield* Effect.forkScoped(Effect.repeat(DaemonMetrics.refresh, Schedule.spaced("15 seconds")))
      }
      return yield* Daemon.run(latest, {
        ...Daemon.defaults,
        holder: `${Os.hostname()} ${Process.pid}`,
        lease: input.lease,
        slots: input.slots,
        drain: input.drain,
        hurried,
        leads: (now) => Effect.sync(() => void (term = now))
      })
    })).pipe(Effect.provide(application.layer)))
})

export const status = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const stores = yield* Effect.flatMap(ApplicationLoader, ({ stores }) => stores)
  const found = yield* DaemonStatus.look.pipe(Effect.provide(stores))
  yield* input.json ? Print.json(DaemonStatus.toJson(found)) : Print.lines(DaemonText.status(found))
  if (found.leader === undefined || found.leader.isExpired) {
    return yield* new Failure({ exitCode: 1, message: "no daemon leads", fix: "barograph daemon" })
  }
})
