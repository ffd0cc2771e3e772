/** What was declared once and is not any more: nothing of it will ever end well, so what went wrong with it is over. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AlertStore } from "../store/AlertStore.ts"
import { AutomationStore } from "../store/AutomationStore.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import { keyOf, type Project } from "./Project.ts"
import type { Fenced } from "./Watch.ts"

const namesOf = <R>({ automations, graph }: Project<R>): AlertPolicy.Declared => ({
  assets: new Set(graph.names),
  automations: new Set([
    ...automations.map(keyOf),
    ...[...graph.assets.values()].flatMap(({ automation, name }) => automation === undefined ? [] : `condition/${name}`)
  ])
})

/** Ends its incidents, and its count of failures in a row; what it remembers stays, should it come back. */
export const settle = <R>(project: Project<R>, fenced: Fenced) =>
  Effect.gen(function*() {
    const [alerts, store] = [yield* AlertStore, yield* AutomationStore]
    const declared = namesOf(project)
    const now = yield* Clock.currentTimeMillis
    const findings = AlertPolicy.ofUndeclared(yield* alerts.open, declared, now)
    if (findings.length > 0) yield* fenced(alerts.observe(findings))
    for (const { cursor, failures, name } of (yield* store.all).values()) {
      if (failures > 0 && !declared.automations.has(name)) yield* fenced(store.record(name, cursor, []))
    }
  })

/** Also what goes wrong later, as a run that went on: it is told, and nobody would ever mend it. */
export const run = <R>(project: Project<R>, fenced: Fenced) =>
  Effect.forever(Effect.delay(settle(project, fenced), "1 hour"))
