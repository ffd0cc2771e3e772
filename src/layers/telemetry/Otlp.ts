/**
 * The exporters. They work beside the program: what cannot be delivered is dropped, and a collector that hangs is given
 * up, so that neither slows a run nor keeps the process from ending.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as Tracer from "effect/Tracer"

export interface Options {
  readonly protocol: "http/protobuf" | "http/json"
  readonly version: string
}

const SIGNALS = ["TRACES", "METRICS", "LOGS"]

/** What is left at the end may take so long, each signal. */
const LAST = "1000"

/** The specification's default of how long an export may take, in milliseconds. */
const TIMEOUT = 10_000

/** An endpoint is reason enough to export all three signals; what the exporters call timeouts bounds their end. */
const settings = (given: ConfigProvider.ConfigProvider) => {
  const ends = ["", ...SIGNALS.map((signal) => `${signal}_`)].map((signal) => [
    `OTEL_EXPORTER_OTLP_${signal}TIMEOUT`,
    LAST
  ])
  const defaults = SIGNALS.map((signal) => [`OTEL_${signal}_EXPORTER`, "otlp"])
  return ConfigProvider.fromUnknown(Object.fromEntries(ends)).pipe(
    ConfigProvider.orElse(given),
    ConfigProvider.orElse(
      ConfigProvider.fromUnknown({ ...Object.fromEntries(defaults), OTEL_SERVICE_NAME: "barograph" })
    )
  )
}

/** Of the whole answer: a collector that begins to answer may hang as well. */
const patient = (millis: number): typeof globalThis.fetch => (input, init) => {
  const late = AbortSignal.timeout(millis)
  const signal = init?.signal === undefined || init.signal === null ? late : AbortSignal.any([init.signal, late])
  return globalThis.fetch(input, { ...init, signal })
}

/** Some vendors take their key in the URL, and statements are long. */
const isPrivate = (attribute: string): boolean =>
  /^(url\.full|url\.query|db\.(query\.text|statement)|http\.(request|response)\.header\..*)$/.test(attribute)

/** Without what may be secret, and without the thousands of statements. */
const discreet = (tracer: Tracer.Tracer): Tracer.Tracer => ({
  ...tracer,
  span: (options) => {
    if (options.name.startsWith("sql.")) return new Tracer.NativeSpan(options)
    const span = tracer.span(options)
    const set = span.attribute.bind(span)
    return Object.assign(span, {
      attribute: (key: string, value: unknown) => isPrivate(key) ? undefined : set(key, value)
    })
  }
})

const layer = Effect.fnUntraced(function*({ protocol, version }: Options) {
  const given = yield* ConfigProvider.ConfigProvider
  const millis = yield* Effect.orDie(Config.Int("OTEL_EXPORTER_OTLP_TIMEOUT").pipe(Config.withDefault(TIMEOUT)))
  return Otlp.layerFromConfig({ resource: { serviceVersion: version }, loggerMergeWithExisting: true }).pipe(
    Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.Fetch, patient(millis))),
    Layer.provide(Layer.succeed(ConfigProvider.ConfigProvider, settings(given)))
  )
})

export const exporting = <A, E, R>(program: Effect.Effect<A, E, R>, options: Options): Effect.Effect<A, E, R> =>
  Effect.scoped(Effect.gen(function*() {
    const context = yield* Layer.build(yield* layer(options))
    const exporters = Context.add(context, Tracer.Tracer, discreet(Context.get(context, Tracer.Tracer)))
    return yield* Effect.provideContext(program, exporters)
  })) as Effect.Effect<A, E, R>
