/** What every `Signals` does. */
import { describe, expect, type Vitest } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Signal, Signals } from "../../../src/runtime/store/Signals.ts"

/** What is heard from now on. */
export const heard: Effect.Effect<Queue.Dequeue<Signal>, never, Signals | Scope.Scope> = Effect.gen(function*() {
  const { changes } = yield* Signals
  const queue = yield* Queue.unbounded<Signal>()
  yield* Effect.forkScoped(Stream.runForEach(changes, (signal) => Queue.offer(queue, signal)))
  return queue
})

/** Takes until one is of this tag; answers all that were taken. */
export const until = (queue: Queue.Dequeue<Signal>, tag: Signal["_tag"]) =>
  Effect.gen(function*() {
    const taken: Array<Signal> = []
    while (taken.at(-1)?._tag !== tag) taken.push(yield* Queue.take(queue))
    return taken
  }).pipe(Effect.timeout("20 seconds"))

export const suite = (it: Vitest.MethodsNonLive<Signals>) =>
  describe("signals", () => {
    it.effect("who listens hears that it does, and then what is said, in order", () =>
      Effect.scoped(Effect.gen(function*() {
        const { send } = yield* Signals
        const queue = yield* heard
        expect(yield* until(queue, "Connected")).toEqual([{ _tag: "Connected" }])
        yield* send({ _tag: "RunEnded", runId: "r1" })
        yield* send({ _tag: "RunRequested" })
        yield* send({ _tag: "AutomationChanged" })
        expect(yield* until(queue, "AutomationChanged")).toEqual([
          { _tag: "RunEnded", runId: "r1" },
          { _tag: "RunRequested" },
          { _tag: "AutomationChanged" }
        ])
      })))

    it.effect("several may listen, and one that stops takes nothing from the others", () =>
      Effect.scoped(Effect.gen(function*() {
        const { changes, send } = yield* Signals
        const kept = yield* heard
        yield* until(kept, "Connected")
        const gone = yield* Effect.forkScoped(Stream.runDrain(changes))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(gone)
        yield* send({ _tag: "BackfillChanged" })
        expect((yield* until(kept, "BackfillChanged")).at(-1)).toEqual({ _tag: "BackfillChanged" })
      })))
  })
