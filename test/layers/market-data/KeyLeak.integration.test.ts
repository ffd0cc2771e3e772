import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as Util from "node:util"
import * as Zlib from "node:zlib"
import { definitions } from "../../../src/assets/definitions.ts"
import * as DerivedMemory from "../../../src/layers/derived/Memory.ts"
import * as LakeMemory from "../../../src/layers/lake/Memory.ts"
import * as Actions from "../../../src/layers/market-data/alpha-vantage/Actions.ts"
import * as AlphaVantage from "../../../src/layers/market-data/AlphaVantage.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import * as StagingMemory from "../../../src/layers/staging/Memory.ts"
import * as WarehouseMemory from "../../../src/layers/warehouse/Memory.ts"
import { DynamicPartitions } from "../../../src/runtime/store/DynamicPartitions.ts"
import * as HttpServer from "../../support/HttpServer.ts"
import * as TestGraph from "../../support/TestGraph.ts"

/** With what has other forms in an address, in JSON and in HTML. */
const key = "K3Y/0+1=2&3\"4Z"
const forms = [key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1), "K3Y"]

const row = (label: string, close: string) => [label, {
  "1. open": "10.0000",
  "2. high": "11.0000",
  "3. low": "9.0000",
  "4. close": close,
  "5. volume": "100"
}]

/** A good answer that echoes the key beside its series and in a row that will be refused. */
const series = JSON.stringify({
  "Echo": `for ${key}`,
  "Meta Data": { "2. Symbol": "IBM", "4. Interval": "1min", "6. Time Zone": "US/Eastern" },
  "Time Series (1min)": Object.fromEntries([
    row("2013-10-04 10:00:00", "10.0000"),
    row("2013-10-04 10:01:00", key),
    row("2013-10-07 10:00:00", "10.0000")
  ])
})

const echoes: ReadonlyArray<HttpServer.Answer> = [
  { body: JSON.stringify({ "Error Message": `Invalid API call with apikey=${encodeURIComponent(key)}` }) },
  { body: JSON.stringify({ Information: `premium endpoint for ${key}` }) },
  { body: JSON.stringify({ odd: key }) },
  {
    body: `{"Meta Data": {"2. Symbol": "${JSON.stringify(key).slice(1, -1)}"}, "Time Series (1min)": {"a": {"b": "c"}}}`
  },
  { status: 404, body: `no ${key}` },
  { body: JSON.stringify({ Information: `We have detected your API key as ${key}: 25 requests per day.` }) }
]

it.live(
  "the key is in no log, event, trace, object, row or message, whatever the vendor echoes",
  () =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const tell = (value: unknown): void =>
        void said.push(typeof value === "string" ? value : Util.inspect(value, { depth: 20, maxStringLength: null }))
      const answers = [{ body: series }, ...echoes]
      let asked = 0
      const { baseUrl } = yield* HttpServer.serve(() => answers[Math.min(asked++, answers.length - 1)]!)
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const tables = StagingMemory.makeTables()
      const objects = new Map<string, Uint8Array>()
      const options = { apiKey: Redacted.make(key), baseUrl, limits: {} }
      /** Another process each time: a refused key is not asked again within one. */
      const layer = () =>
        Layer.mergeAll(
          Layer.mergeAll(AlphaVantage.layer(options), Actions.layer(options)).pipe(
            Layer.provide(QuotaMemory.layerMemory)
          ),
          StagingMemory.layerMemory(tables),
          LakeMemory.layerMemory(objects),
          WarehouseMemory.layerMemory(new Map()),
          DerivedMemory.layerMemory(),
          TestGraph.layerMemory,
          Logger.layer([Logger.make(({ cause, message }) => tell([message, cause]))])
        )
      const materialize = (assets: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          yield* (yield* DynamicPartitions).replace("symbols", [{ value: "IBM", from: "2013-10-04", to: "2013-10-07" }])
          const ended = yield* TestGraph.materialize(definitions, { assets })
          yield* Effect.logError("ended", ended.summary)
          tell(ended)
          return ended.summary.status
        }).pipe(Effect.withTracer(tracer), Effect.provide(layer()))
      assert.strictEqual(yield* materialize(["redshift_bars", "bars_parquet"]), "succeeded")
      assert.strictEqual(tables.quarantined.length, 1)
      assert.include(tables.quarantined[0]!.raw, "***")
      for (const _ of echoes) assert.strictEqual(yield* materialize(["raw_bars"]), "failed")
      assert.strictEqual(asked, answers.length)
      assert.isAbove(spans.length, 0)
      for (const { attributes, events, name, status } of spans) tell([name, [...attributes], events, status])
      tell(tables)
      for (const [name, bytes] of objects) {
        tell(name)
        tell(Buffer.from(name.endsWith(".gz") ? Zlib.gunzipSync(bytes) : bytes).toString("latin1"))
      }
      assert.isTrue(said.some((text) => text.includes("***")))
      for (const form of forms) {
        for (const text of said) assert.isFalse(text.includes(form), `${form} in ${text.slice(0, 2000)}`)
      }
    }),
  30_000
)
