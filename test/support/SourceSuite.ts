/**
 * What every source does. `decoding` needs a payload only, `wire` a vendor: its layer, and a server that speaks its API
 * over bars which the suite hands to it. See `ADDING_A_SOURCE.md` beside the sources.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { whileRetryable } from "../../src/assets/retry.ts"
import { allocate, type Bars } from "../../src/layers/bars/Bars.ts"
import { type Decoded, MarketData, type Payload, type Reason } from "../../src/layers/market-data/MarketData.ts"
import { type Limits, Quota } from "../../src/layers/market-data/Quota.ts"
import * as QuotaMemory from "../../src/layers/market-data/quota/Memory.ts"
import * as HttpServer from "./HttpServer.ts"

export const request = { symbol: "IBM", month: "2024-01" }

export interface Vendor {
  readonly name: string
  /** Of the sessions. */
  readonly zone: string
  /** The first and the last minute of a session, of the day. */
  readonly hours: readonly [first: number, last: number]
  /** The least step of a volume. */
  readonly lot: number
  readonly layer: (baseUrl: string) => Layer.Layer<MarketData, never, Quota>
  readonly account: string
  readonly limits: Limits
  /** What a call costs of the limits. */
  readonly cost: number
  /** Must never be seen. */
  readonly secrets: ReadonlyArray<string>
  /** The calls that a month of 2,604 bars takes. */
  readonly calls: number
  /** What the vendor's server answers when it holds `bars`, ascending, of `request.symbol`. */
  readonly answer: (url: URL, bars: Bars, headers: { readonly [name: string]: unknown }) => HttpServer.Answer
  /** The text of a payload with one price that is no number. */
  readonly spoiled: (payload: string) => string
  /** The documented refusals. */
  readonly refusals: ReadonlyArray<HttpServer.Answer & { readonly means: Reason["_tag"] }>
}

const MINUTE = 60_000

const columns = ["ts", "open", "high", "low", "close", "volume"] as const

/** Every value follows from the place; prices have four decimals. */
const made = (instants: ReadonlyArray<number>, lot: number): Bars => {
  const bars = allocate(instants.length)
  const price = (at: number, more: number): number => Number((100 + at / 100 + more).toFixed(4))
  instants.forEach((ts, at) => {
    bars.ts[at] = ts
    bars.open[at] = price(at, 0.0123)
    bars.high[at] = price(at, 0.5)
    bars.low[at] = price(at, -0.25)
    bars.close[at] = price(at, 0.3)
    bars.volume[at] = Number((1000 + at + (at % 9) * lot).toFixed(8))
  })
  return bars
}

/** Minutes of local days of January 2024, and one minute on either side of the month. */
const held = ({ hours: [first, last], lot, zone }: Vendor): { readonly all: Bars; readonly inMonth: number } => {
  const at = (date: string, minute: number): number =>
    DateTime.toEpochMillis(DateTime.makeZonedUnsafe(`${date}T00:00:00`, { timeZone: zone, adjustForTimeZone: true })) +
    minute * MINUTE
  const day = (date: string, count: number) =>
    Array.from({ length: count }, (_, i) => at(date, Math.max(first, 570) + i))
  const within = [
    at("2024-01-01", first),
    ...["03", "04", "05", "08", "09", "10", "11"].flatMap((date) => day(`2024-01-${date}`, 371)),
    ...day("2024-01-12", 5),
    at("2024-01-31", last)
  ]
  return { all: made([at("2023-12-31", last), ...within, at("2024-02-01", first)], lot), inMonth: within.length }
}

const rowsOf = ({ sessions }: Decoded): ReadonlyArray<string> =>
  sessions.flatMap(({ bars, session }) =>
    Array.from({ length: bars.length }, (_, at) => `${session} ${columns.map((column) => bars[column][at]).join(" ")}`)
  )

const text = ({ bytes }: Pick<Payload, "bytes">): string => new TextDecoder().decode(bytes)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Rows may come newest first: what is sure is that every row kept is one of the payload's, in ascending order. */
const wellFormed = (decoded: Decoded, name: string): void => {
  let before = -Infinity
  for (const { bars, session } of decoded.sessions) {
    assert.match(session, /^\d{4}-\d\d-\d\d$/, name)
    assert.isAbove(bars.length, 0, name)
    for (const ts of bars.ts) {
      assert.isAbove(ts, before, name)
      before = ts
    }
  }
  for (const { raw, reason } of decoded.rejects) {
    assert.isAtMost(raw.length, 2000, name)
    assert.isNotEmpty(reason, name)
  }
}

/** The tests that need no server. */
export const decoding = <E, E2>(
  name: string,
  fetched: Effect.Effect<Payload, E, MarketData>,
  layer: Layer.Layer<MarketData, E2>
) => {
  const decoder = Effect.gen(function*() {
    const source = yield* MarketData
    const payload = yield* fetched
    return { payload, decode: (bytes: Uint8Array) => source.decode(payload.format, bytes), source }
  })
  describe(`${name}: its decoder`, () => {
    it.live("gives the same for the same bytes, and nothing for a format that it does not know", () =>
      Effect.gen(function*() {
        const { decode, payload, source } = yield* decoder
        assert.deepStrictEqual(rowsOf(decode(payload.bytes)), rowsOf(decode(Uint8Array.from(payload.bytes))))
        const { complete, rejects, sessions } = source.decode("another/format", payload.bytes)
        assert.deepStrictEqual([complete, sessions, rejects.length], [false, [], 1])
        assert.include(rejects[0]!.reason, "another/format")
      }).pipe(Effect.provide(layer)))

    it.live("keeps the whole rows of a cut answer, never calls it complete, and invents none", () =>
      Effect.gen(function*() {
        const { decode, payload } = yield* decoder
        const whole = new Set(rowsOf(decode(payload.bytes)))
        const length = text(payload).trimEnd().length
        let most = 0
        for (let cut = 0; cut < length; cut += Math.ceil(length / 211)) {
          const decoded = decode(payload.bytes.subarray(0, cut))
          wellFormed(decoded, `cut at ${cut}`)
          const rows = rowsOf(decoded)
          assert.isTrue(rows.every((row) => whole.has(row)), `cut at ${cut}`)
          assert.isAtLeast(rows.length, most, `cut at ${cut}`)
          assert.isFalse(decoded.complete, `cut at ${cut}`)
          most = rows.length
        }
        assert.isAbove(most, whole.size * 0.98)
      }).pipe(Effect.provide(layer)))

    it.live("never throws, whatever the bytes become", () =>
      Effect.gen(function*() {
        const { decode, payload } = yield* decoder
        const start = payload.bytes.subarray(0, 20_000)
        let seed = 11
        const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
        for (let round = 0; round < 300; round++) {
          const mutated = Uint8Array.from(start)
          for (let changes = next(8); changes >= 0; changes--) mutated[next(mutated.length)] = next(256)
          wellFormed(decode(mutated), `round ${round}`)
        }
        for (const odd of ["", "\uFEFF", "[", "{", "[[", "null", "\"", "[]]", "{}{}", "\0"]) {
          wellFormed(decode(bytesOf(odd)), odd)
        }
        for (const deep of ["[".repeat(100_000), `{"a":`.repeat(100_000)]) {
          wellFormed(decode(bytesOf(deep)), "deep")
        }
      }).pipe(Effect.provide(layer)))
  })
}

const ask = Effect.flatMap(MarketData, (source) => source.fetchMonth(request))

/** The tests that need the vendor's server. */
export const wire = (vendor: Vendor): void => {
  const bars = held(vendor)
  /** The effect with the source, whose vendor answers so. */
  const against = <A, E>(
    handler: HttpServer.Handler,
    effect: (served: HttpServer.Served) => Effect.Effect<A, E, MarketData | Quota>
  ) =>
    Effect.gen(function*() {
      const served = yield* HttpServer.serve(handler)
      return yield* effect(served).pipe(
        Effect.provide(vendor.layer(served.baseUrl).pipe(Layer.provideMerge(QuotaMemory.layerMemory)))
      )
    })
  const faithful: HttpServer.Handler = (url, headers) => vendor.answer(url, bars.all, headers)
  const failure = (handler: HttpServer.Handler) => against(handler, () => Effect.flip(ask))

  describe(`${vendor.name}: its API`, () => {
    it.live("answers a month with exactly its bars, in the sessions of its zone", () =>
      against(faithful, ({ calls }) =>
        Effect.gen(function*() {
          const source = yield* MarketData
          const payload = yield* ask
          const decoded = source.decode(payload.format, payload.bytes)
          assert.isTrue(decoded.complete)
          assert.deepStrictEqual(decoded.rejects, [])
          const expected = Array.from({ length: bars.inMonth }, (_, at) =>
            columns.map((column) => bars.all[column][at + 1]).join(" "))
          assert.deepStrictEqual(
            rowsOf(decoded).map((row) =>
              row.slice(11)
            ),
            expected
          )
          assert.strictEqual(decoded.sessions[0]!.session, "2024-01-01")
          assert.strictEqual(decoded.sessions.at(-1)!.session, "2024-01-31")
          assert.strictEqual(decoded.sessions.length, 10)
          assert.strictEqual(calls.length, vendor.calls)
        })))

    it.live("rejects a row that it cannot believe, and keeps its neighbours", () =>
      against(faithful, () =>
        Effect.gen(function*() {
          const source = yield* MarketData
          const payload = yield* ask
          const decoded = source.decode(payload.format, bytesOf(vendor.spoiled(text(payload))))
          assert.isTrue(decoded.complete)
          assert.strictEqual(rowsOf(decoded).length, bars.inMonth - 1)
          assert.strictEqual(decoded.rejects.length, 1)
          const [{ raw, reason, session, ts }] = decoded.rejects as [Decoded["rejects"][number]]
          assert.include(reason, "not a number")
          assert.include(raw, "None")
          assert.include([...bars.all.ts], ts)
          assert.match(session!, /^2024-01-/)
        })))

    it.live("says of a month without bars that it has none, and not that they are gone", () =>
      against((url, headers) => vendor.answer(url, allocate(0), headers), () =>
        Effect.gen(function*() {
          const source = yield* MarketData
          const payload = yield* ask
          assert.deepStrictEqual(source.decode(payload.format, payload.bytes), {
            sessions: [],
            rejects: [],
            complete: false
          })
        })))

    it.live(
      "knows every documented refusal",
      () =>
        Effect.forEach(vendor.refusals, ({ means, ...answer }) =>
          Effect.gen(function*() {
            const { message, reason, symbol } = yield* failure(() => answer)
            assert.strictEqual(reason._tag, means, `${answer.status} ${answer.body}`)
            assert.strictEqual(symbol, request.symbol)
            for (const secret of vendor.secrets) assert.notInclude(message, secret)
          }), { concurrency: 8, discard: true }),
      30_000
    )

    it.live("calls outages and broken answers unavailable, and follows no redirect", () =>
      Effect.gen(function*() {
        let elsewhere = 0
        const body = (url: URL, headers: { readonly [name: string]: unknown }) =>
          vendor.answer(url, bars.all, headers).body
        const faults: ReadonlyArray<HttpServer.Handler> = [
          () => ({ body: "<html><title>Busy</title></html>" }),
          () => ({ status: 503, body: "<html>no healthy upstream</html>" }),
          (url) => {
            if (url.pathname !== "/bars") elsewhere++
            return { status: 302, headers: { location: `/elsewhere${url.search}` }, body: "" }
          },
          (url, headers) => (response) => {
            response.writeHead(200, { "content-length": "1000000" })
            response.write(body(url, headers).slice(0, 5000), () => response.destroy())
          },
          () => (response) => response.socket!.destroy(),
          () => () => {}
        ]
        yield* Effect.forEach(faults, (fault, at) =>
          Effect.map(failure(fault), ({ reason, retryable }) => {
            assert.strictEqual(reason._tag, "Unavailable", `fault ${at}`)
            assert.isTrue(retryable)
          }), { concurrency: "unbounded" })
        assert.strictEqual(elsewhere, 0)
      }), 30_000)

    it.live("comes back after it was told to wait", () => {
      let asked = 0
      const handler: HttpServer.Handler = (url, headers) =>
        asked++ === 0 ? { status: 429, headers: { "retry-after": "1" }, body: "{}" } : faithful(url, headers)
      return against(handler, () =>
        Effect.gen(function*() {
          const source = yield* MarketData
          const payload = yield* Effect.retry(ask, whileRetryable)
          assert.strictEqual(rowsOf(source.decode(payload.format, payload.bytes)).length, bars.inMonth)
          assert.strictEqual(asked, vendor.calls + 1)
        }))
    })

    it.live("remembers a refusal for hours, and asks nothing until then", () =>
      against(
        () => ({ status: 429, headers: { "retry-after": "7200" }, body: "{}" }),
        ({ calls }) =>
          Effect.gen(function*() {
            assert.strictEqual((yield* Effect.flip(ask)).reason._tag, "QuotaExhausted")
            const { reason } = yield* Effect.flip(ask)
            assert.match(reason.text, /^quota used up: .*, resets at \d{4}-/)
            assert.strictEqual(calls.length, 1)
          })
      ))

    it.live("counts every call against the quota, and makes none when it is used up", () =>
      against(faithful, ({ calls }) =>
        Effect.gen(function*() {
          const quota = yield* Quota
          yield* ask
          assert.strictEqual(yield* quota.used(vendor.account, vendor.limits), vendor.calls * vendor.cost)
          yield* quota.close(vendor.account, Date.now() + 3_600_000, "a test")
          const { exhausted, text } = yield* Effect.map(Effect.flip(ask), ({ reason }) => ({
            exhausted: reason._tag === "QuotaExhausted",
            text: reason.text
          }))
          assert.isTrue(exhausted)
          assert.match(text, /^quota used up: a test, resets at \d{4}-/)
          assert.strictEqual(calls.length, vendor.calls)
        })))

    it.live.skipIf(vendor.secrets.length === 0)(
      "lets its keys out nowhere",
      () =>
        Effect.forEach(vendor.secrets, (secret) =>
          Effect.gen(function*() {
            for (const status of [200, 400, 401, 500]) {
              const exit = yield* Effect.exit(
                Effect.flip(failure(() => ({ status, body: `{"message":"key ${secret}"}` })))
              )
              assert.strictEqual(exit._tag, "Failure")
              if (exit._tag === "Failure") {
                assert.notInclude(Cause.pretty(exit.cause) + JSON.stringify(exit.cause), secret)
              }
            }
            const answer: HttpServer.Handler = (url, headers) => {
              const { body } = faithful(url, headers) as HttpServer.Answer
              return { body: body.replace("{", `{"echo":"${secret}",`) }
            }
            const payload = yield* against(answer, () => ask)
            assert.notInclude(text(payload), secret)
          }), { discard: true }),
      30_000
    )
  })

  decoding(
    vendor.name,
    ask,
    Layer.unwrap(Effect.map(HttpServer.serve(faithful), ({ baseUrl }) => vendor.layer(baseUrl))).pipe(
      Layer.provide(QuotaMemory.layerMemory)
    )
  )
}
