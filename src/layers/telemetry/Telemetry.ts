/**
 * Traces, metrics and logs for a collector that speaks OTLP, where the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`,
 * ...) name one. Without one nothing is loaded and no span is made.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { configuration, type Failure } from "../../runtime/cli/Failure.ts"

const ENDPOINTS = ["", "TRACES_", "METRICS_", "LOGS_"].map((signal) => `OTEL_EXPORTER_OTLP_${signal}ENDPOINT`)

/** Set to nothing is not set. */
const variable = (name: string) =>
  Effect.orDie(Config.option(Config.String(name))).pipe(
    Effect.map((found) => Option.getOrElse(found, () => "").trim())
  )

const checked = Effect.fnUntraced(function*(name: string) {
  const value = yield* variable(name)
  if (value === "" || URL.canParse(value)) return value !== ""
  return yield* configuration(`${name} is "${value}"`, "expected a URL as in http://127.0.0.1:4318")
})

/** What the SDK's variables say, as far as a mistake in them would be told late or never. */
const protocol = Effect.gen(function*() {
  const text = (yield* variable("OTEL_EXPORTER_OTLP_PROTOCOL")) || "http/protobuf"
  if (text === "http/protobuf" || text === "http/json") return text
  return yield* configuration(`OTEL_EXPORTER_OTLP_PROTOCOL is "${text}"`, "expected http/protobuf or http/json")
})

/** What the program does is exported while it runs, and what is left when it ends: that takes a few seconds at most. */
export const exported =
  (version: string) => <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E | Failure, R> =>
    Effect.gen(function*() {
      const found = yield* Effect.forEach(ENDPOINTS, checked)
      const isOff = (yield* variable("OTEL_SDK_DISABLED")).toLowerCase() === "true"
      if (isOff || !found.includes(true)) return yield* Effect.withTracerEnabled(program, false)
      const chosen = yield* protocol
      const { exporting } = yield* Effect.promise(() => import("./Otlp.ts"))
      return yield* exporting(program, { protocol: chosen, version })
    })
