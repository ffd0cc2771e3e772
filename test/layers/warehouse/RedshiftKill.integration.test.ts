/**
 * SIGKILL at every await of a load. What a load awaits is answers of the Data API, so it is killed at each request twice:
 * when the request has arrived and nothing of it was done, and when it was done and the answer is not yet sent.
 */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import type { Limits } from "../../../src/layers/warehouse/RedshiftSql.ts"
import { Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import type { Moment } from "../../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"
import { partitions } from "./fixture/partitions.ts"

const script = Path.join(import.meta.dirname, "fixture", "load.ts")

const start = (url: string, symbol: string, { bytes, statements }: Limits) => {
  const args = [script, url, symbol, String(statements), String(bytes)]
  const child = ChildProcess.spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] })
  let complaints = ""
  child.stderr.on("data", (chunk) => (complaints += chunk))
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, complaints }))
  return { child, ended }
}

const replace = (url: string, limits: Limits, symbol: string, base: number) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.replace(partitions(symbol, base))).pipe(
    Effect.provide(RedshiftData.layer(RedshiftStandIn.targetOf(url), limits))
  )

const killed = Effect.fnUntraced(function*(limits: Limits) {
  let hook: (moment: Moment) => Promise<void> | void = () => {}
  return yield* Effect.gen(function*() {
    const { requests, statements, url } = yield* RedshiftStandIn.StandIn
    const old = (symbol: string) => replace(url, limits, symbol, 100)

    yield* old("WHOLE")
    const from = requests.length
    expect(yield* Effect.promise(() => start(url, "WHOLE", limits).ended)).toMatchObject({ code: 0, complaints: "" })
    const awaits = requests.length - from

    for (let request = 0; request < awaits; request++) {
      for (const phase of ["received", "answering"] as const) {
        const symbol = `${phase} ${request}`
        yield* old(symbol)
        const first = requests.length
        const { child, ended } = start(url, symbol, limits)
        hook = (moment) => {
          if (moment.phase !== phase || moment.request !== first + request) return
          child.kill("SIGKILL")
          return ended.then(() => {})
        }
        expect(yield* Effect.promise(() => ended)).toMatchObject({ signal: "SIGKILL" })
        hook = () => {}
        yield* Effect.promise(() => statements.idle())

        const { bars, ledger } = yield* WarehouseTables.held(symbol)
        const base = ledger[0]![1] === 25 ? 100 : 200
        expect({ bars, ledger, staged: 0 }).toEqual(WarehouseTables.expected(partitions(symbol, base)))

        yield* replace(url, limits, symbol, 200)
        expect({ ...yield* WarehouseTables.held(symbol), staged: 0 }).toEqual(
          WarehouseTables.expected(partitions(symbol, 200))
        )
      }
    }
    return awaits
  }).pipe(Effect.provide(RedshiftStandIn.server({ isolation: "snapshot", hook: (moment) => hook(moment) })))
})

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("a load that is killed", (it) => {
  it.effect("in one transaction has happened or not, and a rerun makes it whole", () =>
    Effect.gen(function*() {
      expect(yield* killed({ statements: 40, bytes: 98_000 })).toBe(9)
    }), 300_000)

  it.effect("between stage and swap has happened or not, and a rerun makes it whole", () =>
    Effect.gen(function*() {
      expect(yield* killed({ statements: 16, bytes: 450 })).toBeGreaterThan(9)
    }), 300_000)
})
