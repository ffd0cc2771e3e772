import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import { whileRetryable } from "../../../src/assets/retry.ts"
import * as AlphaVantage from "../../../src/layers/market-data/AlphaVantage.ts"
import { MarketData, type Reason } from "../../../src/layers/market-data/MarketData.ts"
import * as QuotaMemory from "../../../src/layers/market-data/quota/Memory.ts"
import * as AlphaVantageText from "../../support/AlphaVantageText.ts"
import * as FaultServer from "../../support/FaultServer.ts"

const request = { symbol: "IBM", month: "2024-01" }
const body = AlphaVantageText.month(AlphaVantageText.randomOf(5), 2000, 18 * 12)
const page = Fs.readFileSync(new URL("../../fixtures/alpha-vantage/errors/17_http503_heroku.html", import.meta.url))
const premium = Fs.readFileSync(
  new URL("../../fixtures/alpha-vantage/errors/06_info_premium_endpoint.json", import.meta.url)
)

const source = (baseUrl: string, timeout: "500 millis" | "10 minutes" = "500 millis") =>
  AlphaVantage.layer({ apiKey: Redacted.make("SECRETKEY1234567"), baseUrl, timeout, limits: {} }).pipe(
    Layer.provide(QuotaMemory.layerMemory)
  )

const ask = Effect.flatMap(MarketData, (source) =>
  Effect.map(source.fetchMonth(request), ({ bytes, format }) => {
    const { complete, sessions } = source.decode(format, bytes)
    return { complete, rows: sessions.reduce((sum, { bars }) => sum + bars.length, 0) }
  }))

/** Fault, reason, and a piece of its sentence. */
const failing: ReadonlyArray<readonly [name: string, FaultServer.Fault, Reason["_tag"], RegExp]> = [
  ["no answer", FaultServer.silence, "Unavailable", /no answer within 500ms/],
  ["headers that trickle", FaultServer.slowHeaders, "Unavailable", /no answer within 500ms/],
  ["a body that trickles", FaultServer.slowBody(body), "Unavailable", /no answer within 500ms/],
  ["a reset within the body", FaultServer.reset(body), "Unavailable", /broke off/],
  ["chunks without an end", FaultServer.openChunks(body), "Unavailable", /broke off|cut off/],
  ["a length longer than the body", FaultServer.answer(body, { length: body.length + 9 }), "Unavailable", /broke off/],
  ["a length shorter than the body", FaultServer.answer(body, { length: 9000 }), "Unavailable", /cut off/],
  ["no length and half a body", FaultServer.answer(body.slice(0, 9000)), "Unavailable", /cut off/],
  ["an empty body", FaultServer.answer(""), "Unavailable", /empty/],
  ["a web page with status 200", FaultServer.answer(page), "Unavailable", /web page: Application Error/],
  ["500 with a page", FaultServer.answer(page, { status: "500 Oops" }), "Unavailable", /status 500/],
  ["502 with a page", FaultServer.answer(page, { status: "502 Bad Gateway" }), "Unavailable", /status 502/],
  ["503 with a page", FaultServer.answer(page, { status: "503 Busy" }), "Unavailable", /status 503/],
  [
    "503 with a time",
    FaultServer.answer(page, { status: "503 Busy", headers: { "retry-after": "7" } }),
    "Throttled",
    /503/
  ],
  [
    "429 with a time",
    FaultServer.answer("{}", { status: "429 Slow", headers: { "retry-after": "7" } }),
    "Throttled",
    /429/
  ],
  ["429 without a time", FaultServer.answer("{}", { status: "429 Slow" }), "Throttled", /429/],
  [
    "429 for a day",
    FaultServer.answer("{}", { status: "429 Slow", headers: { "retry-after": "86400" } }),
    "QuotaExhausted",
    /asked to wait 1d/
  ],
  [
    "429 with the vendor's words",
    FaultServer.answer(premium, { status: "429 Slow" }),
    "NotEntitled",
    /premium endpoint/
  ],
  [
    "a redirect",
    FaultServer.answer("", { status: "302 Found", headers: { location: "/elsewhere" } }),
    "Unavailable",
    /redirects are not followed/
  ],
  ["what is called gzip", FaultServer.falseGzip(body), "Unavailable", /broke off/],
  ["a gzip that is cut", FaultServer.cutGzip(body), "Unavailable", /broke off|cut off/],
  ["401", FaultServer.answer("{}", { status: "401 No" }), "Unauthorized", /status 401/],
  ["404", FaultServer.answer("nothing here", { status: "404 No" }), "InvalidRequest", /status 404/],
  ["no HTTP", (socket) => socket.end("SSH-2.0-OpenSSH\r\n"), "Unavailable", /no connection/]
]

describe("faults on the line", () => {
  for (const [name, fault, reason, text] of failing) {
    it.live(`${name}: one call, ${reason}, in bounded time`, () =>
      Effect.gen(function*() {
        const { baseUrl, calls } = yield* FaultServer.serve(fault)
        const error = yield* Effect.flip(ask.pipe(Effect.provide(source(baseUrl)), Effect.timeout("20 seconds")))
        assert.strictEqual(error._tag, "MarketDataError")
        if (error._tag !== "MarketDataError") return
        assert.strictEqual(error.reason._tag, reason, error.message)
        assert.match(error.reason.text, text)
        assert.strictEqual(calls.length, 1)
        assert.notInclude(error.message + JSON.stringify(error), "SECRETKEY")
      }), 30_000)
  }

  it.live("a gzip bomb is not unpacked beyond the limit", () =>
    Effect.gen(function*() {
      const { baseUrl } = yield* FaultServer.serve(FaultServer.bomb(300))
      const { reason } = yield* Effect.flip(ask.pipe(Effect.provide(source(baseUrl, "10 minutes"))))
      assert.include(reason.text, "larger than 32 MB")
    }), 30_000)

  it.live("50 MB are not taken: the connection ends at the limit", () =>
    Effect.gen(function*() {
      let sent = 0
      const { baseUrl } = yield* FaultServer.serve(FaultServer.flood(50, (bytes) => sent = bytes))
      const layer = source(baseUrl, "10 minutes")
      const { reason } = yield* Effect.flip(ask.pipe(Effect.provide(layer)))
      assert.strictEqual(reason._tag, "Unavailable")
      assert.include(reason.text, "larger than 32 MB")
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.isBelow(sent, 45 << 20)
    }), 30_000)

  it.live("a wrong content type, gzip and another status of success are no faults", () =>
    Effect.gen(function*() {
      for (
        const fine of [
          FaultServer.answer(body, { headers: { "content-type": "text/html" } }),
          FaultServer.gzip(body),
          FaultServer.answer(body, { status: "203 Odd" })
        ]
      ) {
        const { baseUrl } = yield* FaultServer.serve(fine)
        assert.deepStrictEqual(yield* ask.pipe(Effect.provide(source(baseUrl, "10 minutes"))), {
          complete: true,
          rows: 2000
        })
      }
    }))

  /** Asks by the assets' retry policy in virtual time: every wait is as long as it has to be, to the millisecond. */
  const retried = (waits: ReadonlyArray<number>, ...faults: ReadonlyArray<FaultServer.Fault>) =>
    Effect.gen(function*() {
      const { baseUrl, calls } = yield* FaultServer.serve(...faults)
      const waiting = yield* Queue.unbounded<void>()
      const policy = Schedule.tap(whileRetryable, () => Queue.offer(waiting, undefined))
      const fiber = yield* Effect.forkChild(
        Effect.result(Effect.retry(ask, policy)).pipe(Effect.provide(source(baseUrl, "10 minutes")))
      )
      for (let at = 0; at < waits.length; at++) {
        yield* Queue.take(waiting)
        yield* TestClock.adjust(waits[at]! - 1)
        assert.strictEqual(calls.length, at + 1)
        yield* TestClock.adjust(1)
      }
      return { result: yield* Fiber.join(fiber), calls: calls.length }
    })

  it.effect("an outage is asked five times in all, 1, 2, 4 and 8 seconds apart", () =>
    Effect.gen(function*() {
      const busy = FaultServer.answer(page, { status: "503 Busy" })
      const { calls, result } = yield* retried([1000, 2000, 4000, 8000], busy)
      assert.strictEqual(calls, 5)
      assert.strictEqual(result._tag, "Failure")
    }))

  it.effect("who is told to wait waits that long, and goes on", () =>
    Effect.gen(function*() {
      const slow = FaultServer.answer("{}", { status: "429 Slow", headers: { "retry-after": "77" } })
      const minute = FaultServer.answer(`{"Note": "call frequency is 5 calls per minute and 500 calls per day"}`)
      const { calls, result } = yield* retried([77_000, 60_000], slow, minute, FaultServer.answer(body))
      assert.strictEqual(calls, 3)
      assert.deepStrictEqual(result._tag === "Success" && result.success, { complete: true, rows: 2000 })
    }))

  it.effect("a plan that lacks the series is asked once in ten minutes, whatever the month", () =>
    Effect.gen(function*() {
      const { baseUrl, calls } = yield* FaultServer.serve(FaultServer.answer(premium))
      yield* Effect.gen(function*() {
        const source = yield* MarketData
        const months = (...asked: ReadonlyArray<string>) =>
          Effect.forEach(
            asked,
            (month) =>
              Effect.map(
                Effect.flip(source.fetchMonth({ symbol: "IBM", month })),
                ({ month, reason }) => [month, reason._tag]
              )
          )
        assert.deepStrictEqual(yield* months("2024-01", "2024-02"), [["2024-01", "NotEntitled"], [
          "2024-02",
          "NotEntitled"
        ]])
        assert.strictEqual(calls.length, 1)
        yield* TestClock.adjust("10 minutes")
        yield* months("2024-03")
        assert.strictEqual(calls.length, 2)
      }).pipe(Effect.provide(source(baseUrl, "10 minutes")))
    }))

  it.effect("what no new try can mend is not asked again", () =>
    Effect.gen(function*() {
      for (
        const text of [
          "{\"Information\": \"This is a premium endpoint.\"}",
          "{\"Error Message\": \"Invalid API call.\"}",
          "{\"Error Message\": \"the parameter apikey is invalid\"}",
          "{\"Information\": \"rate limit is 25 requests per day.\"}",
          body.replace("\"IBM\"", "\"AAPL\""),
          body.replace("Full size", "Compact"),
          body.replace("{", "{\"message\": \"ARTIFICIAL\",")
        ]
      ) {
        const { calls, result } = yield* retried([], FaultServer.answer(text))
        assert.deepStrictEqual([calls, result._tag], [1, "Failure"], text.slice(0, 80))
      }
    }))
})
