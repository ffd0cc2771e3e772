import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as AlphaVantage from "../../../src/layers/market-data/AlphaVantage.ts"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"

const key = "SECRETKEY1234567"
const limits = { perDay: 25 }
const request = { symbol: "IBM", month: "2024-01" }
const series = (symbol = "IBM", interval = "1min"): string =>
  JSON.stringify({
    "Meta Data": { "2. Symbol": symbol, "4. Interval": interval, "6. Time Zone": "US/Eastern" },
    [`Time Series (${interval})`]: {
      "2024-01-03 10:00:00": { "1. open": "1", "2. high": "1", "3. low": "1", "4. close": "1", "5. volume": "5" }
    }
  })

type Answer = (url: URL, response: Http.ServerResponse) => void

const serve = (answer: Answer) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Http.Server; readonly baseUrl: string }>((resume) => {
      const server = Http.createServer((message, response) =>
        answer(new URL(message.url!, "http://127.0.0.1"), response)
      )
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ server, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/query` })))
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const ask = (baseUrl: string, times = 1) =>
  Effect.gen(function*() {
    const source = yield* MarketData
    let last = yield* source.fetchMonth(request)
    for (let i = 1; i < times; i++) last = yield* source.fetchMonth(request)
    return source.decode(last.format, last.bytes)
  }).pipe(Effect.provide(
    AlphaVantage.layer({ apiKey: Redacted.make(key), baseUrl, timeout: "500 millis", limits }).pipe(
      Layer.provide(QuotaMemory.layerMemory)
    )
  ))

const reasonOf = (answer: Answer) =>
  Effect.gen(function*() {
    const { baseUrl } = yield* serve(answer)
    return (yield* Effect.flip(ask(baseUrl))).reason
  })

const text = (body: string, status = 200): Answer => (_url, response) => response.writeHead(status).end(body)

describe("Alpha Vantage over HTTP", () => {
  it.live("asks for one raw month of extended hours", () =>
    Effect.gen(function*() {
      const urls: Array<URL> = []
      const { baseUrl } = yield* serve((url, response) => {
        urls.push(url)
        response.end(series())
      })
      const decoded = yield* ask(baseUrl, 3)
      assert.strictEqual(decoded.sessions[0]!.session, "2024-01-03")
      assert.deepStrictEqual(Object.fromEntries(urls[0]!.searchParams), {
        function: "TIME_SERIES_INTRADAY",
        symbol: "IBM",
        month: "2024-01",
        interval: "1min",
        adjusted: "false",
        extended_hours: "true",
        outputsize: "full",
        datatype: "json",
        apikey: key
      })
    }))

  it.live("calls outages, redirects, silence and refused connections unavailable", () =>
    Effect.gen(function*() {
      let redirected = 0
      const answers: ReadonlyArray<Answer> = [
        text("<html><title>Busy</title></html>"),
        text("oops", 503),
        (url, response) => {
          if (url.pathname === "/elsewhere") redirected++
          response.writeHead(302, { location: `/elsewhere${url.search}` }).end()
        },
        () => {},
        (_url, response) => response.socket!.destroy()
      ]
      for (const answer of answers) assert.strictEqual((yield* reasonOf(answer))._tag, "Unavailable")
      assert.strictEqual(redirected, 0)
      const refused = yield* Effect.flip(ask("http://127.0.0.1:1/query"))
      assert.strictEqual(refused.reason._tag, "Unavailable")
    }))

  it.live("refuses the answer to another question, and asks again for a cut one", () =>
    Effect.gen(function*() {
      const other = yield* reasonOf(text(series("AAPL")))
      assert.strictEqual(other._tag, "Mismatched")
      assert.include(other.text, "IBM")
      assert.include(other.text, "AAPL")
      assert.strictEqual((yield* reasonOf(text(series("IBM", "5min"))))._tag, "Mismatched")
      assert.strictEqual((yield* reasonOf(text(series().slice(0, -1))))._tag, "Unavailable")
    }))

  it.live("lets the key out nowhere: not in errors, spans or payloads", () =>
    Effect.gen(function*() {
      const spans: Array<unknown> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const echo = text(JSON.stringify({ Information: `We have detected your API key as ${key}: 25 requests per day` }))
      const answers = [echo, text(key, 500), text(`<title>${key}</title>`), text(JSON.stringify({ odd: key }))]
      for (const answer of answers) {
        const { baseUrl } = yield* serve(answer)
        const exit = yield* Effect.exit(Effect.withTracer(ask(baseUrl), tracer))
        assert.strictEqual(exit._tag, "Failure")
        if (exit._tag === "Failure") {
          assert.notInclude(Cause.pretty(exit.cause), key)
          assert.notInclude(JSON.stringify(exit.cause), key)
        }
      }
      const { baseUrl } = yield* serve(text(series().replace("{", `{"echo":"${key}",`)))
      const payload = yield* Effect.withTracer(
        Effect.flatMap(MarketData, (source) => source.fetchMonth(request)),
        tracer
      )
        .pipe(
          Effect.provide(
            AlphaVantage.layer({ apiKey: Redacted.make(key), baseUrl }).pipe(Layer.provide(QuotaMemory.layerMemory))
          )
        )
      assert.notInclude(Buffer.from(payload.bytes).toString(), key)
      assert.include(Buffer.from(payload.bytes).toString(), "***")
      assert.isAbove(spans.length, 0)
      for (const span of spans as ReadonlyArray<Tracer.NativeSpan>) {
        const told = `${span.name} ${[...span.attributes].flat().join(" ")} ${JSON.stringify(span.events)}`
        assert.notInclude(told, key)
      }
    }))
})
