/** What every `RunStore` does with runs that wait for a daemon. The store is shared: each test has keys of its own. */
import { describe, expect, type Vitest } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type RequestedRun, RunStore } from "../../../src/runtime/store/RunStore.ts"

export const wanted = (runId: string, more: Partial<RequestedRun> = {}): RequestedRun => ({
  runId,
  runKey: `key of ${runId}`,
  request: { of: runId },
  tags: {},
  priority: 0,
  attempts: 1,
  ...more
})

/** Ids of the waiting runs whose id begins so. */
const waiting = (prefix: string, without: ReadonlyArray<string> = []) =>
  Effect.flatMap(
    RunStore,
    ({ requested }) =>
      Effect.map(
        requested(without),
        (runs) => runs.map(({ runId }) => runId).filter((runId) => runId.startsWith(prefix))
      )
  )

/** The run has begun, in this term. */
export const begun = Effect.fnUntraced(function*(run: RequestedRun, term?: number) {
  const runs = yield* RunStore
  yield* runs.request([run])
  yield* runs.enqueue({ ...run, term })
  expect(yield* runs.begin(run.runId, {})).toBeGreaterThan(0)
  return runs
})

const resumed = (prefix: string) =>
  Effect.flatMap(
    RunStore,
    ({ resume }) => Effect.map(resume, (found) => found.filter((runId) => runId.startsWith(prefix)))
  )

export const suite = (it: Vitest.MethodsNonLive<RunStore>) =>
  describe("runs that wait for a daemon", () => {
    it.effect("a key is one run, whoever asks and however often", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        const asked = (at: number) => [
          wanted(`key ${at} a`, { runKey: "key/a" }),
          wanted(`key ${at} b`, { runKey: "key/b" })
        ]
        const all = yield* Effect.forEach([1, 2, 3, 4], (at) => runs.request(asked(at)), { concurrency: "unbounded" })
        expect(all.flat()).toHaveLength(2)
        expect((yield* waiting("key ")).sort()).toEqual(all.flat().sort())
        expect(yield* runs.request([...asked(5), wanted("key c"), wanted("key c again", { runKey: "key of key c" })]))
          .toEqual(["key c"])
        const [first] = all.flat()
        yield* runs.enqueue(wanted(first!))
        yield* runs.begin(first!, {})
        yield* runs.end(first!, "succeeded", {})
        expect(yield* runs.request(asked(6))).toEqual([])
        expect(yield* runs.find("key 6 a")).toBeUndefined()
      }))

    it.effect("an id is one run: where it is there already, nothing that was asked for with it is", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        yield* runs.request([wanted("id 1")])
        const again = yield* Effect.flip(runs.request([wanted("id 2"), wanted("id 1", { runKey: "another" })]))
        expect(again._tag).toBe("StoreError")
        expect(yield* runs.find("id 2")).toBeUndefined()
        expect(yield* runs.request([wanted("id 1"), wanted("id 3")])).toEqual(["id 3"])
      }))

    it.effect("they wait by priority, then in the order in which they came", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        yield* runs.request([wanted("turn 1")])
        yield* Effect.sleep("5 millis")
        yield* runs.request([wanted("turn 2", { priority: -1 }), wanted("turn 3")])
        yield* Effect.sleep("5 millis")
        yield* runs.request([wanted("turn 4", { priority: 9 })])
        expect(yield* waiting("turn ")).toEqual(["turn 4", "turn 1", "turn 3", "turn 2"])
        const [found] = (yield* runs.requested([])).filter(({ runId }) => runId === "turn 4")
        expect(found).toMatchObject({ status: "requested", request: { of: "turn 4" }, priority: 9, attempt: 1 })
        expect(found!.requestedAt).toBe(found!.startedAt)
      }))

    it.effect("those with a tag that is set aside are left out, by its value or whatever that is", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        yield* runs.request([
          wanted("aside 1", { tags: { team: "etl", backfill: "" } }),
          wanted("aside 2", { tags: { team: "web" } }),
          wanted("aside 3")
        ])
        const left = (...without: ReadonlyArray<string>) =>
          Effect.map(waiting("aside ", without), (ids) => [...ids].sort())
        expect(yield* left("team=etl")).toEqual(["aside 2", "aside 3"])
        expect(yield* left("team=none", "backfill", "te")).toEqual(["aside 2", "aside 3"])
        expect(yield* left("team")).toEqual(["aside 3"])
        expect(yield* left("team=web", "backfill=")).toEqual(["aside 3"])
      }))

    it.effect("one that may not begin yet is not there before its time", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        const now = yield* Clock.currentTimeMillis
        yield* runs.request([
          wanted("later far", { notBefore: now + 9_000_000 }),
          wanted("later soon", { notBefore: now + 3_600_000 }),
          wanted("later past", { notBefore: now - 1 })
        ])
        expect(yield* waiting("later ")).toEqual(["later past"])
        expect(yield* runs.nextRequested).toBe(now + 3_600_000)
        yield* runs.requestCancel("later soon")
        expect(yield* runs.nextRequested).toBe(now + 9_000_000)
        yield* runs.requestCancel("later far")
        expect(yield* runs.nextRequested).toBeUndefined()
      }))

    it.effect("one that is canceled is over, does not begin, and its key stays used", () =>
      Effect.gen(function*() {
        const runs = yield* RunStore
        yield* runs.request([wanted("canceled 1")])
        expect(yield* runs.requestCancel("canceled 1")).toBe(true)
        expect(yield* runs.requestCancel("canceled 1")).toBe(false)
        expect(yield* runs.find("canceled 1")).toMatchObject({ status: "canceled" })
        expect(yield* waiting("canceled ")).toEqual([])
        expect(yield* runs.request([wanted("canceled 2", { runKey: "key of canceled 1" })])).toEqual([])
        // A daemon that had read the queue before.
        expect(yield* Effect.flip(runs.enqueue(wanted("canceled 1")))).toMatchObject({ _tag: "StoreError" })
        expect(yield* runs.begin("canceled 1", {})).toBeUndefined()
        expect(yield* runs.find("canceled 1")).toMatchObject({ status: "canceled" })
      }))

    it.effect("what is cut off has its next attempt once, as often as it may, and what ends otherwise has none", () =>
      Effect.gen(function*() {
        const runs = yield* begun(wanted("again", { attempts: 3, tags: { of: "suite" }, priority: 4 }))
        yield* runs.end("again", "interrupted", {}, "the server is gone")
        const both = yield* Effect.all([resumed("again"), resumed("again")], { concurrency: 2 })
        expect(both.flat()).toEqual(["again.2"])
        expect(yield* runs.find("again.2")).toMatchObject({
          status: "requested",
          runKey: "key of again",
          attempt: 2,
          priority: 4,
          request: { of: "again" },
          tags: { of: "suite", retry_of: "again" },
          requestedAt: (yield* runs.find("again"))!.requestedAt
        })
        expect(yield* resumed("again")).toEqual([])
        yield* runs.enqueue(wanted("again.2"))
        yield* runs.begin("again.2", {})
        yield* runs.end("again.2", "interrupted", {}, "the server is gone")
        expect(yield* resumed("again")).toEqual(["again.3"])
        yield* runs.end("again.3", "interrupted", {}, "the server is gone")
        expect(yield* resumed("again")).toEqual([])
        for (const status of ["succeeded", "failed", "canceled"] as const) {
          yield* begun(wanted(`over ${status}`, { attempts: 9 }))
          yield* runs.end(`over ${status}`, status, {})
        }
        expect(yield* resumed("over")).toEqual([])
      }))

    it.effect("an attempt that its own process gave up in order does not count", () =>
      Effect.gen(function*() {
        const runs = yield* begun(wanted("drained", { attempts: 2 }))
        for (
          const [runId, next] of [["drained", "drained.2"], ["drained.2", "drained.3"], ["drained.3", "drained.4"]]
        ) {
          yield* runs.end(runId!, "interrupted", {})
          expect(yield* resumed("drained")).toEqual([next])
        }
        // Of those that count there were none so far: one more is left.
        yield* runs.end("drained.4", "interrupted", {}, "the server is gone")
        expect(yield* resumed("drained")).toEqual(["drained.5"])
        yield* runs.end("drained.5", "interrupted", {}, "the server is gone")
        expect(yield* resumed("drained")).toEqual([])
      }))

    it.effect("what is cut off is not over before its last attempt is", () =>
      Effect.gen(function*() {
        const tags = { of: "unfinished" }
        const runs = yield* begun(wanted("open", { attempts: 2, tags: { ...tags, and: "more" } }))
        yield* begun(wanted("open once", { tags: { of: "another" } }))
        const is = (...ids: ReadonlyArray<string>) =>
          Effect.map(runs.unfinished(tags), (found) => expect(found.map(({ runId }) => runId)).toEqual(ids))
        yield* is("open")
        yield* runs.end("open", "interrupted", {}, "the server is gone")
        yield* is("open")
        expect(yield* resumed("open")).toEqual(["open.2"])
        yield* is("open.2")
        yield* runs.enqueue(wanted("open.2"))
        yield* is("open.2")
        // Given up in order.
        yield* runs.end("open.2", "interrupted", {})
        yield* is("open.2")
        expect(yield* resumed("open")).toEqual(["open.3"])
        yield* runs.end("open.3", "interrupted", {}, "the server is gone")
        yield* is()
        yield* runs.end("open once", "succeeded", {})
      }))

    it.effect("what somebody wanted stopped is not taken up again when its process is gone", () =>
      Effect.gen(function*() {
        const runs = yield* begun(wanted("unwanted", { attempts: 9 }))
        expect(yield* runs.requestCancel("unwanted")).toBe(true)
        yield* runs.end("unwanted", "interrupted", {})
        expect(yield* resumed("unwanted")).toEqual([])
      }))

    it.effect("what is cut off can be canceled before it is taken up again, and not after", () =>
      Effect.gen(function*() {
        const runs = yield* begun(wanted("between", { attempts: 2 }))
        yield* runs.end("between", "interrupted", {}, "the server is gone")
        expect(yield* runs.requestCancel("between")).toBe(true)
        expect(yield* runs.requestCancel("between")).toBe(false)
        expect(yield* resumed("between")).toEqual([])
        yield* begun(wanted("after", { attempts: 2 }))
        yield* runs.end("after", "interrupted", {}, "the server is gone")
        expect(yield* resumed("after")).toEqual(["after.2"])
        expect(yield* runs.requestCancel("after")).toBe(false)
        yield* runs.end("after.2", "interrupted", {}, "the server is gone")
        expect(yield* runs.requestCancel("after.2")).toBe(false)
        yield* begun(wanted("between none"))
        yield* runs.end("between none", "interrupted", {}, "the server is gone")
        expect(yield* runs.requestCancel("between none")).toBe(false)
      }))

    it.effect("a new leader takes the runs of earlier terms, and their processes write nothing more", () =>
      Effect.gen(function*() {
        const runs = yield* begun(wanted("seized old", { attempts: 2 }), 3)
        yield* begun(wanted("seized own"), 4)
        yield* begun(wanted("seized command"))
        yield* runs.request([wanted("seized waiting")])
        expect((yield* runs.seize(4)).filter((runId) => runId.startsWith("seized"))).toEqual(["seized old"])
        const status = (runId: string) => Effect.map(runs.find(runId), (run) => run!.status)
        expect(yield* Effect.forEach(["old", "own", "command", "waiting"], (one) => status(`seized ${one}`)))
          .toEqual(["interrupted", "running", "running", "requested"])
        const write = runs.append("seized old", [{ type: "RunStarted", partitions: 1 }])
        expect((yield* Effect.flip(write)).message).toContain("taken over by another process")
        yield* runs.end("seized old", "succeeded", {})
        expect(yield* status("seized old")).toBe("interrupted")
        expect((yield* Effect.flip(runs.isCancelRequested("seized old"))).message).toContain("taken over")
        expect((yield* runs.events("seized old")).map(({ event }) => event.type)).toEqual(["RunEnded"])
        expect(yield* resumed("seized")).toEqual(["seized old.2"])
        for (const one of ["own", "command", "waiting", "old.2"]) yield* runs.end(`seized ${one}`, "canceled", {})
      }))
  })
