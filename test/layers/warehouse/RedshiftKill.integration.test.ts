/**
 * SIGKILL at every await of a load. What a load awaits is answers of the Data API, and of S3 where its rows go through a
 * bucket, so it is killed at each request twice: when the request has arrived and nothing of it was done, and when it was
 * done and the answer is not yet sent.
 */
import { expect, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import { Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as Bundle from "../../support/Bundle.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import type { Moment } from "../../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"
import { partitions } from "./fixture/partitions.ts"

const bundled = Bundle.make(Path.join(import.meta.dirname, "fixture", "load.ts"))

interface Place {
  /** The program that loads. */
  readonly script: string
  readonly url: string
  /** Of S3, where rows go through a bucket. */
  readonly s3: string | undefined
  readonly limits: RedshiftSql.Limits
}

const start = ({ limits, s3, script, url }: Place, symbol: string) => {
  const args = [script, url, symbol, JSON.stringify(limits), s3 ?? ""]
  const child = ChildProcess.spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] })
  let complaints = ""
  child.stderr.on("data", (chunk) => (complaints += chunk))
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, complaints }))
  return { ended, kill: () => (child.kill("SIGKILL"), ended) }
}

const replace = ({ limits, s3, url }: Omit<Place, "script">, symbol: string, base: number) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.replace(partitions(symbol, base))).pipe(
    Effect.provide(
      RedshiftData.layer(
        s3 === undefined ? RedshiftStandIn.targetOf(url) : RedshiftStandIn.copyingTargetOf(url, s3),
        limits
      )
    )
  )

/** The load has happened or not, and a rerun makes it whole. */
const recovers = Effect.fnUntraced(function*(place: Place, symbol: string) {
  const { idle } = yield* RedshiftStandIn.StandIn
  yield* Effect.promise(idle)
  const { bars, ledger } = yield* WarehouseTables.held(symbol)
  const base = ledger[0]![1] === 25 ? 100 : 200
  expect({ bars, ledger, staged: 0 }).toEqual(WarehouseTables.expected(partitions(symbol, base)))
  yield* replace(place, symbol, 200)
  expect({ ...yield* WarehouseTables.held(symbol), staged: 0 }).toEqual(
    WarehouseTables.expected(partitions(symbol, 200))
  )
})

const PHASES = ["received", "answering"] as const

/** Kills at the requests to the Data API, from the one with the number `from`; answers how many there are. */
const killed = Effect.fnUntraced(function*(limits: RedshiftSql.Limits, from = 0, s3?: S3Server.S3Server) {
  let hook: (moment: Moment) => Promise<void> | void = () => {}
  return yield* Effect.gen(function*() {
    const { requests, url } = yield* RedshiftStandIn.StandIn
    const place = { script: yield* bundled, url, limits, s3: s3?.url }
    yield* replace(place, "WHOLE", 100)
    const before = requests.length
    expect(yield* Effect.promise(() => start(place, "WHOLE").ended)).toMatchObject({ code: 0, complaints: "" })
    const awaits = requests.length - before

    for (let request = from; request < awaits; request++) {
      for (const phase of PHASES) {
        const symbol = `${phase} ${request}`
        yield* replace(place, symbol, 100)
        const first = requests.length
        const { ended, kill } = start(place, symbol)
        hook = (moment) => {
          if (moment.phase !== phase || moment.request !== first + request) return
          return kill().then(() => {})
        }
        expect(yield* Effect.promise(() => ended)).toMatchObject({ signal: "SIGKILL" })
        hook = () => {}
        yield* recovers(place, symbol)
      }
    }
    if (s3 !== undefined) yield* killedInS3(place, s3)
    return awaits
  }).pipe(
    Effect.provide(RedshiftStandIn.server({
      isolation: "snapshot",
      hook: (moment) => hook(moment),
      ...(s3 === undefined ? {} : { s3: { endpoint: s3.url } })
    }))
  )
})

const isOurs = ({ headers }: S3Server.Seen): boolean => !RedshiftStandIn.isWarehouse(headers)

const killedInS3 = Effect.fnUntraced(function*(place: Place, s3: S3Server.S3Server) {
  const before = s3.seen.length
  expect(yield* Effect.promise(() => start(place, "WHOLE").ended)).toMatchObject({ code: 0, complaints: "" })
  const awaits = s3.seen.slice(before).filter(isOurs).map(({ operation }) => operation)
  expect(awaits.toSorted()).toEqual([
    ...Array.from({ length: 3 }, () => "DeleteObject"),
    "ListObjectsV2",
    ...Array.from({ length: 3 }, () => "PutObject")
  ])
  for (let request = 0; request < awaits.length; request++) {
    for (const phase of PHASES) {
      const symbol = `${phase} in S3 ${request}`
      yield* replace(place, symbol, 100)
      const { ended, kill } = start(place, symbol)
      let seen = -1
      s3.onRequest((one) =>
        isOurs(one) && ++seen === request
          ? { kind: "wait", when: phase === "received" ? "before" : "after", until: kill }
          : undefined
      )
      expect(yield* Effect.promise(() => ended)).toMatchObject({ signal: "SIGKILL" })
      s3.onRequest(() => undefined)
      yield* recovers(place, symbol)
    }
  }
})

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("a load that is killed", (it) => {
  it.effect("in one transaction has happened or not, and a rerun makes it whole", () =>
    Effect.gen(function*() {
      expect(yield* killed(RedshiftSql.limits)).toBe(9)
    }), 300_000)

  it.effect("between stage and swap has happened or not, and a rerun makes it whole", () =>
    Effect.gen(function*() {
      expect(yield* killed({ ...RedshiftSql.limits, statements: 16, bytes: 450 })).toBeGreaterThan(9)
    }), 300_000)

  it.effect(
    "that goes through a bucket has happened or not, a rerun makes it whole, and leftovers go another day",
    () =>
      Effect.gen(function*() {
        const s3 = yield* S3Server.make()
        const limits = { ...RedshiftSql.limits, copyRows: 1, objectRows: 60 }
        // What comes before the load itself is the same as without a bucket.
        expect(yield* killed(limits, 6, s3)).toBe(9)
        const { objects } = s3.buckets.get("lake")
        expect(objects.size).toBeGreaterThan(0)

        const clock = yield* Clock.Clock
        const inTwoDays = (millis: number) => millis + 2 * 86_400_000
        const later: Clock.Clock = Object.assign(Object.create(clock), {
          currentTimeMillis: Effect.map(clock.currentTimeMillis, inTwoDays)
        })
        yield* Effect.gen(function*() {
          const { url } = yield* RedshiftStandIn.StandIn
          yield* replace({ url, limits, s3: s3.url }, "WHOLE", 100).pipe(Effect.provideService(Clock.Clock, later))
        }).pipe(Effect.provide(RedshiftStandIn.server({ isolation: "snapshot", s3: { endpoint: s3.url } })))
        expect([...objects.keys()]).toEqual([])
      }),
    300_000
  )
})
