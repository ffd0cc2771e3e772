/** `daemon`, and `daemon status`. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Os from "node:os"
import * as Process from "node:process"
import * as AlertPolicy from "../../automation/AlertPolicy.ts"
import * as Daemon from "../../automation/Daemon.ts"
import type { Project } from "../../automation/Project.ts"
import { AlertStore } from "../../store/AlertStore.ts"
import { Leadership } from "../../store/Leadership.ts"
import { RunStore } from "../../store/RunStore.ts"
import { type Application, ApplicationLoader, type Reloaded } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as DaemonText from "../render/DaemonText.ts"
import * as Print from "../render/Print.ts"
import * as SimulationText from "../render/SimulationText.ts"

export interface Input {
  readonly slots: number
  readonly lease: Duration.Duration
  readonly drain: Duration.Duration
  readonly simulate: Option.Option<Duration.Duration>
  readonly json: boolean
}

const load = Effect.flatMap(ApplicationLoader, ({ load }) => load)

/** Loaded with the question: nobody else needs a clock that is turned. */
const simulate = Effect.fnUntraced(function*(application: Application, span: Duration.Duration, json: boolean) {
  const Simulation = yield* Effect.promise(() => import("../../automation/Simulation.ts"))
  const found = yield* Simulation.run(application, span).pipe(
    Effect.mapError(({ message }) => new Failure({ exitCode: 1, message, fix: "barograph check" }))
  )
  yield* json
    ? Print.json(SimulationText.toJson(found))
    : Print.lines(SimulationText.render(found, application.pools))
})

/** A graph that cannot be read is told, and the last good one goes on. */
const reloaded = (read: Result.Result<Reloaded, Failure>) =>
  Effect.gen(function*() {
    const found = yield* Effect.result(Effect.gen(function*() {
      const { layer, project } = yield* Effect.fromResult(read)
      const services = yield* Layer.buildWithScope(layer, yield* Effect.scope)
      return { ...project, services: services as Context.Context<never> } satisfies Project
    }))
    const error = Result.isFailure(found) ? found.failure.message : undefined
    yield* error === undefined
      ? Effect.logInfo("the definitions have changed: the new graph is used from now on")
      : Effect.logWarning(`the definitions have changed and cannot be used, the last good ones stay: ${error}`)
    const findings = AlertPolicy.ofDefinitions(yield* Clock.currentTimeMillis, error)
    yield* Effect.ignore((yield* AlertStore).observe(findings))
    return found
  })

/** The graph, and then each one that replaces it. */
const projects = (application: Application): Stream.Stream<Project, never, AlertStore | Scope.Scope> =>
  Stream.concat(
    Stream.make<[Project]>(application),
    Stream.concat(
      (application.reloads ?? Stream.empty).pipe(Stream.mapEffect(reloaded), Stream.filterMap((found) => found)),
      Stream.never
    )
  )

export const daemon = Effect.fnUntraced(function*(input: Input) {
  if (input.slots < 1) return yield* usage(`--slots ${input.slots} is no number of runs`, "--slots 4")
  const application = yield* load
  yield* Effect.forEach(application.notices, Print.talk)
  if (Option.isSome(input.simulate)) return yield* simulate(application, input.simulate.value, input.json)
  return yield* Daemon.run(projects(application), {
    ...Daemon.defaults,
    holder: `${Os.hostname()} ${Process.pid}`,
    lease: input.lease,
    slots: input.slots,
    drain: input.drain,
    leads: () => Effect.void
  }).pipe(Effect.scoped, Effect.provide(application.layer))
})

const WAITS = ["requested", "queued", "running"] as const

const standing = Effect.gen(function*() {
  const runs = yield* RunStore
  yield* runs.recover
  const leader = yield* (yield* Leadership).leader
  const open = yield* Effect.forEach(WAITS, (status) => runs.list({ limit: 1000, status }))
  return { now: yield* Clock.currentTimeMillis, leader, runs: open.flat() }
})

export const status = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const application = yield* load
  const found = yield* standing.pipe(Effect.provide(application.layer))
  yield* input.json ? Print.json(DaemonText.toJson(found)) : Print.lines(DaemonText.status(found))
  if (found.leader === undefined || found.leader.isExpired) {
    return yield* new Failure({ exitCode: 1, message: "no daemon leads", fix: "barograph daemon" })
  }
})
