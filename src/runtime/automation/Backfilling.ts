/**
 * Works on stored backfills, one after the other, beside whoever else does. One slice at a time, apart from the slots of
 * other runs: fresh work never waits for history, and history never stands still. A slice has a fiber that outlives a change of
 * the graph, as runs have, and ends before the next one begins.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Backfill from "../run/Backfill.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import type * as Launcher from "./Launcher.ts"
import { type Project, settled } from "./Project.ts"
import * as Watch from "./Watch.ts"

/** Among the ids of runs. */
const KEY = "backfills"

/** Interrupted, it lets the slice end that goes on. */
const worked = <R>(project: Project<R>, { fibers }: Launcher.Running, term: number, backfillId: string) =>
  Effect.gen(function*() {
    const former = yield* FiberMap.get(fibers, KEY)
    if (Option.isSome(former)) yield* Fiber.await(former.value)
    let goesOn = true
    const working = Backfill.work(project.graph, backfillId, {
      concurrency: project.concurrency,
      pools: Record.map(project.pools, ({ slots }) => slots),
      limits: project.limits,
      term,
      goesOn: () => goesOn,
      observe: () => Effect.void
    })
    const ended = yield* Deferred.make<Effect.Success<typeof working>, Effect.Error<typeof working>>()
    yield* FiberMap.run(fibers, KEY, Effect.asVoid(Deferred.into(working, ended)))
    return yield* Effect.onInterrupt(Deferred.await(ended), () => Effect.sync(() => void (goesOn = false)))
  })

/** Those that failed here, were told, and ended otherwise since by somebody else's work. */
const mended = (fenced: Watch.Fenced) =>
  Effect.gen(function*() {
    const [alerts, store] = [yield* AlertStore, yield* BackfillStore]
    for (const { incident } of yield* alerts.open) {
      const backfillId = AlertPolicy.backfillOf(incident)
      const found = backfillId === undefined ? undefined : yield* store.find(backfillId)
      if (found !== undefined) yield* fenced(alerts.observe(AlertPolicy.ofBackfill(found)))
    }
  })

const look = <R>(project: Project<R>, running: Launcher.Running, fenced: Watch.Fenced, term: number) =>
  Effect.gen(function*() {
    yield* mended(fenced)
    for (const { backfillId } of yield* (yield* BackfillStore).open) {
      yield* Effect.logInfo(`backfill ${backfillId} goes on`)
      yield* settled(project)
      const ended = yield* worked(project, running, term, backfillId)
      yield* Effect.logInfo(`backfill ${backfillId} ${ended?.status ?? "is gone"}`)
      if (ended !== undefined) yield* fenced((yield* AlertStore).observe(AlertPolicy.ofBackfill(ended)))
    }
    return undefined
  })

export const run = <R>(project: Project<R>, running: Launcher.Running, fenced: Watch.Fenced, term: number) =>
  Watch.watch(
    ({ _tag }) => _tag === "BackfillChanged" || _tag === "Connected",
    look(project, running, fenced, term)
  )
