import { expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as ChildProcess from "node:child_process"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Url from "node:url"
import * as Telemetry from "../../../src/layers/telemetry/Telemetry.ts"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as TestGraph from "../../support/TestGraph.ts"

interface Collected {
  readonly url: string
  readonly bodies: { [path: string]: string }
}

/** A collector that answers, or one that takes what comes and never does. */
const collector = (hangs: boolean) =>
  Effect.acquireRelease(
    Effect.callback<Collected & { readonly server: Http.Server }>((resume) => {
      const bodies: { [path: string]: string } = {}
      const server = Http.createServer((message, response) => {
        message.on("data", (chunk) => (bodies[message.url!] = (bodies[message.url!] ?? "") + chunk))
        message.on("end", () => hangs || response.end("{}"))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, bodies, server }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const up = Asset.make("up", { output: Schema.Struct({ rows: Schema.Finite }) }, () =>
  Effect.succeed({ rows: 1 }).pipe(
    Effect.withSpan("http.client GET", {
      attributes: { "url.full": "https://vendor/?apikey=HUSH", "url.query": "apikey=HUSH", "url.path": "/query" }
    }),
    Effect.tap(() => Effect.logInfo("made"))
  ))

const down = Asset.make(
  "down",
  { deps: { up }, output: Schema.Struct({ rows: Schema.Finite }) },
  ({ up }) => Effect.succeed({ rows: up.rows + 1 })
)

const program = TestGraph.materialize(AssetGraph.make(down), { assets: ["up", "down"] }).pipe(
  Effect.provide(TestGraph.layerMemory)
)

const exported = <A, E, R>(env: { readonly [name: string]: string }, effect: Effect.Effect<A, E, R>) =>
  Telemetry.exported("1.2.3")(effect).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)),
    Effect.provide(Layer.mergeAll(Logger.layer([]), Layer.sync(Metric.MetricRegistry, () => new Map())))
  )

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: { readonly stringValue?: string } }>
}

const spansOf = (body: string): ReadonlyArray<Span> =>
  JSON.parse(body).resourceSpans.flatMap((one: { scopeSpans: ReadonlyArray<{ spans: ReadonlyArray<Span> }> }) =>
    one.scopeSpans.flatMap(({ spans }) => spans)
  )

it.live("a run is a trace, its steps are spans of it, and no secret is in it", () =>
  Effect.scoped(Effect.gen(function*() {
    const { bodies, url } = yield* collector(false)
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }
    const { summary } = yield* exported(env, program)
    const spans = spansOf(bodies["/v1/traces"]!)
    const run = spans.find(({ name }) => name === "run")!
    expect(run.parentSpanId).toBeUndefined()
    expect(run.attributes).toContainEqual({ key: "run", value: { stringValue: summary.runId } })
    const steps = spans.filter(({ name }) => name.startsWith("materialize "))
    expect(steps.map(({ name }) => name).sort()).toEqual(["materialize down", "materialize up"])
    expect(steps.map(({ parentSpanId, traceId }) => [parentSpanId, traceId])).toEqual(
      steps.map(() => [run.spanId, run.traceId])
    )
    expect(bodies["/v1/traces"]).toContain("/query")
    expect(JSON.stringify(bodies)).not.toContain("HUSH")
    expect(bodies["/v1/metrics"]).toContain("barograph_rows_total")
    expect(bodies["/v1/logs"]).toContain("made")
    expect(bodies["/v1/traces"]).toContain("\"1.2.3\"")
  })))

const took = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const started = performance.now()
    const result = yield* effect
    return { result, seconds: (performance.now() - started) / 1000 }
  })

it.live("a collector that hangs holds up neither the run nor the end", () =>
  Effect.scoped(Effect.gen(function*() {
    const { url } = yield* collector(true)
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: "60000" }
    const { result, seconds } = yield* took(exported(env, took(program)))
    expect(result.result.summary.status).toBe("succeeded")
    expect(result.seconds).toBeLessThan(1)
    expect(seconds - result.seconds).toBeLessThan(5)
  })))

const FIXTURE = Url.fileURLToPath(new URL("fixture/exporting.ts", import.meta.url))

it.live("a process whose collector hangs ends all the same", () =>
  Effect.scoped(Effect.gen(function*() {
    const { bodies, url } = yield* collector(true)
    const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: "60000" }
    const child = ChildProcess.spawn(process.execPath, [FIXTURE], { env, stdio: "ignore" })
    const ended = Effect.promise(() => new Promise((resolve) => child.on("close", resolve)))
    const { result, seconds } = yield* took(ended)
    expect(result).toBe(0)
    expect(Object.keys(bodies)).toContain("/v1/traces")
    expect(seconds).toBeLessThan(15)
  })))

it.live("a collector that is down does neither", () =>
  Effect.gen(function*() {
    const { url } = yield* Effect.scoped(collector(false))
    const { result, seconds } = yield* took(exported({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, took(program)))
    expect(result.result.summary.status).toBe("succeeded")
    expect(seconds - result.seconds).toBeLessThan(5)
  }))

it.live("without an endpoint nothing is exported, and no span made", () =>
  Effect.gen(function*() {
    const span = Effect.withSpan("any")(Effect.map(Effect.currentSpan, ({ sampled }) => sampled))
    expect(yield* exported({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, Effect.orElseSucceed(span, () => false))).toBe(false)
  }))

it.live("what is no endpoint is a configuration error", () =>
  Effect.gen(function*() {
    const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }
    expect(yield* Effect.flip(exported({ OTEL_EXPORTER_OTLP_ENDPOINT: "nowhere" }, Effect.void)))
      .toMatchObject({ exitCode: 3, message: "OTEL_EXPORTER_OTLP_ENDPOINT is \"nowhere\"" })
    expect(yield* Effect.flip(exported(grpc, Effect.void))).toMatchObject({
      exitCode: 3,
      fix: "expected http/protobuf or http/json"
    })
  }))
