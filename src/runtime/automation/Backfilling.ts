/**
 * Works on stored backfills, one after the other, beside whoever else does. One slice at a time, apart from the slots of
 * other runs: fresh work never waits for history, and history never stands still.
 */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import * as Backfill from "../run/Backfill.ts"
import * as Situation from "../run/Situation.ts"
import { AlertStore } from "../store/AlertStore.ts"
import { BackfillStore } from "../store/BackfillStore.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import type { Project } from "./Project.ts"
import * as Watch from "./Watch.ts"

const look = <R>(project: Project<R>, fenced: Watch.Fenced, term: number) =>
  Effect.gen(function*() {
    for (const { backfillId } of yield* (yield* BackfillStore).open) {
      yield* Effect.logInfo(`backfill ${backfillId} goes on`)
      yield* Situation.settled(project.members)
      const ended = yield* Backfill.work(project.graph, backfillId, {
        concurrency: project.concurrency,
        pools: Record.map(project.pools, ({ slots }) => slots),
        limits: project.limits,
        term,
        observe: () => Effect.void
      })
      yield* Effect.logInfo(`backfill ${backfillId} ${ended?.status ?? "is gone"}`)
      if (ended !== undefined) yield* fenced((yield* AlertStore).observe(AlertPolicy.ofBackfill(ended)))
    }
    return undefined
  })

export const run = <R>(project: Project<R>, fenced: Watch.Fenced, term: number) =>
  Watch.watch(({ _tag }) => _tag === "BackfillChanged" || _tag === "Connected", look(project, fenced, term))
