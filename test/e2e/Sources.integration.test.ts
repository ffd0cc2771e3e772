import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { allocate, type Bars } from "../../src/layers/bars/Bars.ts"
import * as ParquetReader from "../../src/layers/lake/ParquetReader.ts"
import * as Cli from "../support/Cli.ts"
import * as HttpServer from "../support/HttpServer.ts"
import type { Vendor } from "../support/SourceSuite.ts"
import { alpaca } from "../support/vendors/Alpaca.ts"
import * as AlpacaActions from "../support/vendors/AlpacaActions.ts"
import { binance } from "../support/vendors/Binance.ts"

/** Ten minutes each from 14:30 UTC. */
const held = (sessions: ReadonlyArray<string>, volume: number): Bars => {
  const bars = allocate(sessions.length * 10)
  sessions.forEach((session, day) => {
    for (let at = day * 10; at < day * 10 + 10; at++) {
      bars.ts[at] = Date.parse(`${session}T14:30:00Z`) + (at - day * 10) * 60_000
      bars.open[at] = bars.low[at] = 42
      bars.high[at] = bars.close[at] = 42.25
      bars.volume[at] = volume
    }
  })
  return bars
}

const split = { ...AlpacaActions.none, forward_splits: [AlpacaActions.split("IBM", "2024-01-08", 2, 1)] }

const project = Effect.fnUntraced(function*(vendor: Vendor, bars: Bars, env: { readonly [name: string]: string }) {
  const { baseUrl, calls } = yield* HttpServer.serve((url, headers) =>
    url.pathname === "/v1/corporate-actions" ? AlpacaActions.answer(url, split) : vendor.answer(url, bars, headers)
  )
  const of = yield* Cli.project
  Object.assign(of.env, {
    BAROGRAPH_SOURCE_URL: baseUrl,
    BAROGRAPH_SYMBOLS: "IBM",
    BAROGRAPH_START: "2024-01-05",
    BAROGRAPH_END: "2024-01-08",
    ...env
  })
  return { of, calls }
})

const loaded = (of: Cli.Project) =>
  Cli.query(
    of,
    "warehouse",
    "select session::text, source, count(*)::int as rows, min(volume) as volume from bars group by 1, 2 order by 1"
  )

const adjustedBars = (of: Cli.Project, date: string) =>
  Effect.gen(function*() {
    const file = (yield* Cli.parquetFiles(of)).find((name) => name.includes(`adjusted_bars/symbol=IBM/date=${date}`))!
    return yield* ParquetReader.decode(Fs.readFileSync(Path.join(of.directory, ".barograph", "lake", file)))
  })

const EVERYTHING = ["materialize", "--select", "*", "--json"]

it.live(
  "Binance's bars go through all assets, a session every day, with parts of a coin",
  () =>
    Effect.gen(function*() {
      const days = ["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08"]
      const { calls, of } = yield* project(binance, held(days, 0.12345678), { BAROGRAPH_SOURCE: "binance" })
      const ended = yield* Cli.run(of, EVERYTHING)
      expect(ended.stderr).not.toContain("error")
      expect(ended.code).toBe(0)
      expect(yield* loaded(of)).toEqual(
        days.map((session) => ({ session, source: "binance", rows: 10, volume: 0.12345678 }))
      )
      const files = yield* Cli.parquetFiles(of)
      expect(files.filter((name) => name.startsWith("bars/"))).toHaveLength(4)
      expect(yield* Cli.query(of, "staging", "select session::text, vwap, bars from session_bars order by 1")).toEqual(
        days.map((session) => ({ session, vwap: (42.25 + 42 + 42.25) / 3, bars: 10 }))
      )
      expect(yield* Cli.query(of, "staging", "select sum(expected)::int as expected from coverage")).toEqual([
        { expected: 4 * 1440 }
      ])
      expect(calls).toHaveLength(1)
      expect(calls[0]!.searchParams.get("startTime")).toBe(String(Date.parse("2024-01-01T00:00:00Z")))
      expect((yield* Cli.run(of, EVERYTHING)).code).toBe(0)
      expect(calls).toHaveLength(1)
    }),
  300_000
)

it.live(
  "Alpaca's bars go through all assets on New York's calendar, and its keys stay inside",
  () =>
    Effect.gen(function*() {
      const { of } = yield* project(alpaca, held(["2024-01-05", "2024-01-08"], 500), {
        BAROGRAPH_SOURCE: "alpaca",
        APCA_API_KEY_ID: alpaca.secrets[0]!,
        APCA_API_SECRET_KEY: alpaca.secrets[1]!
      })
      const ended = yield* Cli.run(of, EVERYTHING)
      expect(ended.code).toBe(0)
      expect(yield* loaded(of)).toEqual([
        { session: "2024-01-05", source: "alpaca", rows: 10, volume: 500 },
        { session: "2024-01-08", source: "alpaca", rows: 10, volume: 500 }
      ])
      const adjusted = yield* Effect.map(adjustedBars(of, "2024-01-05"), ({ open, volume }) => [open[0], volume[0]])
      expect(adjusted).toEqual([21, 1000])
      expect((yield* adjustedBars(of, "2024-01-08")).open[0]).toBe(42)
      const accounts = yield* Cli.query(of, "staging", "select account, ledger->>'used' as used from quota.accounts")
      expect(accounts).toEqual([{ account: alpaca.account, used: "2" }])
      of.env["APCA_API_SECRET_KEY"] = "another"
      const refused = yield* Cli.run(of, ["materialize", "--asset", "raw_bars", "--force"])
      expect(refused.code).toBe(4)
      expect(refused.stderr + refused.stdout).toContain("Unauthorized")
      for (const secret of alpaca.secrets) expect(ended.stdout + ended.stderr + refused.stderr).not.toContain(secret)
    }),
  300_000
)

it.live(
  "a day that the vendor calls used up is remembered: the next process asks nothing and says until when",
  () =>
    Effect.gen(function*() {
      const body = JSON.stringify({ Information: "standard API rate limit is 25 requests per day." })
      const { baseUrl, calls } = yield* HttpServer.serve(() => ({ body }))
      const of = yield* Cli.project
      Object.assign(of.env, {
        ALPHA_VANTAGE_API_KEY: "SECRETKEY1234567",
        BAROGRAPH_INTERVAL: "1min",
        BAROGRAPH_SOURCE_URL: baseUrl,
        BAROGRAPH_SYMBOLS: "IBM",
        BAROGRAPH_START: "2024-01-05",
        BAROGRAPH_END: "2024-01-08"
      })
      const args = ["materialize", "--asset", "raw_bars"]
      const first = yield* Cli.run(of, args)
      expect([first.code, calls.length]).toEqual([4, 1])
      const second = yield* Cli.run(of, args)
      expect([second.code, calls.length]).toEqual([4, 1])
      expect(second.stdout + second.stderr).toMatch(
        /quota used up: the vendor says so, though it accepted no call today, resets at \d{4}-\d\d-\d\dT\d\d:/
      )
    }),
  300_000
)

it.live("a source that lacks its settings says which", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    const refused = Effect.fnUntraced(function*(env: { readonly [name: string]: string }, said: string) {
      const ended = yield* Cli.run({ ...of, env }, ["materialize", "--asset", "raw_bars"])
      expect(ended.code).toBe(3)
      expect(ended.stderr).toContain(said)
    })
    yield* refused({ BAROGRAPH_SOURCE: "yahoo" }, "sample, alpha-vantage, alpaca, binance")
    yield* refused({ BAROGRAPH_SOURCE: "alpaca", APCA_API_KEY_ID: "id" }, "APCA_API_SECRET_KEY")
    yield* refused({ BAROGRAPH_SOURCE: "alpha-vantage" }, "ALPHA_VANTAGE_API_KEY")
    yield* refused({ BAROGRAPH_SOURCE: "binance" }, "BAROGRAPH_SYMBOLS")
  }), 300_000)
