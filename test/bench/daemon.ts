/**
 * The daemon: what it costs while nothing happens, how soon a run that is asked for calls its asset, and whether memory
 * stays flat over many runs. Over an embedded PostgreSQL; the idle one is the bundle, as people start it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Readline from "node:readline"
import * as Url from "node:url"
import { engine } from "../../src/engine.ts"
import * as Database from "../../src/layers/database/Database.ts"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as Daemon from "../../src/runtime/automation/Daemon.ts"
import { requestOf } from "../../src/runtime/automation/Schedule.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import { type RequestedRun, RunStore } from "../../src/runtime/store/RunStore.ts"
import { temporaryDirectory } from "../support/EmbeddedDatabase.ts"
import { peakMegabytes, table } from "./Measured.ts"

type Row = ReadonlyArray<string>

const TIMES = 50
const bin = Url.fileURLToPath(new URL("../../bin/barograph", import.meta.url))

const stores = (home: string) => Layer.provideMerge(engine, Database.layer({ home, url: undefined }))

/** By the clock that all processes of the machine share. */
const now = (): number => performance.timeOrigin + performance.now()

/** Requested at a time, each of a partition of its own: what one of them forced, the next would not force again. */
const TOGETHER = 250

const run = (at: number): RequestedRun => ({
  runId: `r${at}`,
  runKey: `k${at}`,
  request: requestOf({ assets: ["called"], force: true, partition: `n=${at % TOGETHER}` }),
  tags: {},
  priority: 0,
  attempts: 1
})

const n = Partitions.statics(Array.from({ length: TOGETHER }, (_, at) => `${at}`))

/** A daemon over an asset that tells when it is called. */
const daemon = (called: (at: number) => void) =>
  Daemon.run(
    Stream.concat(
      Stream.make({
        graph: AssetGraph.make(Asset.make("called", { partitions: { n } }, () => Effect.sync(() => called(now())))),
        automations: [],
        members: Effect.succeed({}),
        concurrency: 4,
        pools: {},
        limits: {}
      }),
      Stream.never
    ),
    { ...Daemon.defaults, holder: "bench", leads: () => Effect.void }
  )

const figures = (name: string, millis: ReadonlyArray<number>): Row => {
  const sorted = [...millis].sort((a, b) => a - b)
  return [name, String(sorted.length), ...[sorted[sorted.length >> 1]!, sorted.at(-1)!].map((one) => one.toFixed(0))]
}

/** From the request of a run to the call of its asset; the first three are not counted: nothing is compiled yet. */
const latencies = (calls: Queue.Dequeue<number>) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const found: Array<number> = []
    for (let at = 0; at < TIMES + 3; at++) {
      yield* Effect.sleep("100 millis")
      const before = now()
      yield* runs.request([run(at)])
      found.push((yield* Queue.take(calls)) - before)
    }
    return found.slice(3)
  })

const inProcess = Effect.gen(function*() {
  const calls = yield* Queue.unbounded<number>()
  yield* Effect.forkScoped(daemon((at) => void Queue.offerUnsafe(calls, at)))
  return figures("in process", yield* latencies(calls))
})

const acrossProcesses = (home: string) =>
  Effect.gen(function*() {
    const calls = yield* Queue.unbounded<number>()
    const child = ChildProcess.spawn(process.execPath, [import.meta.filename, "serve", home], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => child.kill("SIGKILL")))
    Readline.createInterface({ input: child.stdout }).on("line", (line) => Queue.offerUnsafe(calls, Number(line)))
    return figures("across processes", yield* latencies(calls))
  })

/** Heap after a collection at each quarter. */
const many = (count: number) =>
  Effect.gen(function*() {
    const runs = yield* RunStore
    const heap: Array<number> = []
    const note = Effect.sync(() => {
      globalThis.gc!()
      heap.push(process.memoryUsage().heapUsed / 1e6)
    })
    yield* Effect.forkScoped(daemon(() => {}))
    for (let from = 0; from < count; from += TOGETHER) {
      if (from % (count / 4) === 0) yield* note
      yield* runs.request(Array.from({ length: TOGETHER }, (_, at) => run(from + at)))
      // Over, not only called: a run that is asked for before its partition's last success is kept would not force it.
      yield* runs.waiting.pipe(
        Effect.repeat({
          until: ({ queued, requested, running }) => requested + queued + running === 0,
          schedule: Schedule.spaced("20 millis")
        })
      )
    }
    yield* note
    return [String(count), ...heap.map((megabytes) => megabytes.toFixed(1)), peakMegabytes().toFixed(0)]
  })

/** Of a process: CPU seconds so far, and resident megabytes. */
const usage = (pid: number) => {
  const fields = Fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ")
  const resident = /VmRSS:\s+(\d+)/.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8"))![1]
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, resident: Number(resident) / 1000 }
}

const idle = (seconds: number) =>
  Effect.gen(function*() {
    const cwd = yield* temporaryDirectory
    const child = ChildProcess.spawn(bin, ["daemon"], { cwd, stdio: "ignore" })
    yield* Effect.addFinalizer(() =>
      Effect.promise(() => {
        child.kill("SIGTERM")
        return new Promise((resolve) => child.once("close", resolve))
      })
    )
    yield* Effect.sleep("15 seconds")
    const before = usage(child.pid!)
    yield* Effect.sleep(seconds * 1000)
    const after = usage(child.pid!)
    const share = (after.cpu - before.cpu) / seconds * 100
    return [String(seconds), share.toFixed(2), after.resident.toFixed(0)]
  })

const inDirectory = <A, E>(
  use: (home: string) => Effect.Effect<A, E, RunStore | Layer.Success<ReturnType<typeof stores>>>
) =>
  Effect.flatMap(temporaryDirectory, (directory) => {
    const home = Path.join(directory, ".barograph")
    return Effect.provide(use(home), stores(home))
  })

const cases: { readonly [name: string]: (argument: string) => Effect.Effect<Row, unknown, never> } = {
  serve: (home) => Effect.provide(daemon((at) => console.log(at)), stores(home)),
  idle: (seconds) => Effect.scoped(idle(Number(seconds))),
  inProcess: () => Effect.scoped(inDirectory(() => Effect.scoped(inProcess))),
  acrossProcesses: () => Effect.scoped(inDirectory((home) => Effect.scoped(acrossProcesses(home)))),
  many: (count) => Effect.scoped(inDirectory(() => Effect.scoped(many(Number(count)))))
}

const measure = (...args: ReadonlyArray<string | number>): Row => {
  const flags = ["--expose-gc", import.meta.filename, ...args.map(String)]
  const { status, stderr, stdout } = ChildProcess.spawnSync(process.execPath, flags, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as Row
}

export const bench = (): void => {
  table("An idle daemon", ["seconds", "% of a core", "resident MB"], [measure("idle", 60)])
  table(
    "From the request of a run to the call of its asset, ms",
    ["", "runs", "median", "worst"],
    [measure("inProcess"), measure("acrossProcesses")]
  )
  table(
    "Runs of one daemon: heap MB after a collection",
    ["runs", "at the start", "1/4", "1/2", "3/4", "at the end", "peak MB of the process"],
    [measure("many", 10_000)]
  )
}

const [name, argument] = process.argv.slice(2)
if (name !== undefined && import.meta.filename === process.argv[1]) {
  const row = await Effect.runPromise(Effect.provide(cases[name]!(argument ?? ""), Logger.layer([])))
  console.log(JSON.stringify(row))
}
