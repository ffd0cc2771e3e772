import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import * as Zlib from "node:zlib"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import * as Replay from "../../../src/layers/market-data/Replay.ts"

const sample = Url.fileURLToPath(new URL("../../../src/layers/market-data/sample/bars.csv.gz", import.meta.url))
const text = Zlib.gunzipSync(Fs.readFileSync(sample)).toString()

/** `symbol,session` to the rows behind it. */
const expected = new Map<string, Array<string>>()
for (const line of text.trim().split("\n").slice(1)) {
  const [symbol, session, ...rest] = line.split(",")
  const key = `${symbol},${session}`
  expected.set(key, [...expected.get(key) ?? [], rest.join(",")])
}

const minutes = (ts: number): number => {
  const [hour, minute] = new Date(ts).toLocaleTimeString("en-GB", { timeZone: "America/New_York" }).split(":")
  return Number(hour) * 60 + Number(minute)
}

const file = (content: Uint8Array): Effect.Effect<string> =>
  Effect.sync(() => {
    const path = Path.join(Fs.mkdtempSync(Path.join(Os.tmpdir(), "sample-")), "bars.csv.gz")
    Fs.writeFileSync(path, content)
    return path
  })

const failure = (content: Uint8Array) => Effect.flatMap(file(content), (path) => Effect.flip(Replay.coverage(path)))

describe("the replay of the sample", () => {
  it.effect("decodes to the sample's 16,823 rows in 30 sessions", () =>
    Effect.gen(function*() {
      const source = yield* MarketData
      let rows = 0
      const seen = new Set<string>()
      for (const { from, symbol } of yield* Replay.coverage(sample)) {
        const payload = yield* source.fetchMonth({ symbol, month: from.slice(0, 7) })
        assert.doesNotThrow(() => JSON.parse(new TextDecoder().decode(payload.bytes)))
        const decoded = source.decode(payload.format, payload.bytes)
        assert.isTrue(decoded.complete)
        assert.deepStrictEqual(decoded.rejects, [])
        for (const { bars, session } of decoded.sessions) {
          const scaled = (column: Float64Array, i: number) => Math.round(column[i]! * 10_000)
          const lines = Array.from(bars.ts, (ts, i) =>
            [
              minutes(ts),
              ...[bars.open, bars.high, bars.low, bars.close].map((column) => scaled(column, i)),
              bars.volume[i]
            ].join(","))
          assert.deepStrictEqual(lines, expected.get(`${symbol},${session}`))
          seen.add(`${symbol},${session}`)
          rows += bars.length
        }
      }
      assert.strictEqual(rows, 16_823)
      assert.strictEqual(seen.size, 30)
    }).pipe(Effect.provide(Replay.layer({ file: sample }))))

  it.effect("covers six symbols in the order of the file", () =>
    Effect.gen(function*() {
      const covered = yield* Replay.coverage(sample)
      assert.deepStrictEqual(covered.map(({ symbol }) => symbol), ["SPY", "IBM", "BAC", "AIG", "AAPL", "GOOG"])
      assert.deepStrictEqual(covered[5], { symbol: "GOOG", from: "2015-12-23", to: "2015-12-28" })
    }))

  it.effect("answers another month with an empty series and another symbol with the vendor's refusal", () =>
    Effect.gen(function*() {
      const source = yield* MarketData
      const payload = yield* source.fetchMonth({ symbol: "SPY", month: "2014-01" })
      assert.deepStrictEqual(source.decode(payload.format, payload.bytes), {
        sessions: [],
        rejects: [],
        complete: true
      })
      const error = yield* Effect.flip(source.fetchMonth({ symbol: "ZZZ", month: "2014-01" }))
      assert.strictEqual(error.reason._tag, "InvalidRequest")
      assert.isFalse(error.retryable)
    }).pipe(Effect.provide(Replay.layer({ file: sample }))))

  it.effect("names the file, the line and the fix for a sample that cannot be read", () =>
    Effect.gen(function*() {
      const lines = text.split("\n").slice(0, 5)
      const bad = yield* failure(Zlib.gzipSync([...lines.slice(0, 3), "IBM,2013-10-04,x,1,1,1,1,1", ""].join("\n")))
      assert.strictEqual(bad.line, 4)
      assert.strictEqual(bad.problem, "minute is not 0 to 1439: x")
      assert.include((yield* failure(Buffer.from("plain"))).problem, "not a whole gzip file")
      assert.include((yield* failure(Zlib.gzipSync("a,b\n"))).problem, "not the header")
      const missing = yield* Effect.flip(Replay.coverage("no/such/file"))
      assert.include(missing.problem, "ENOENT")
      assert.isNotEmpty(missing.fix)
    }))
})
