/** What may go wrong between us, the bucket and the warehouse that reads it, each with what is there afterwards. */
import { expect, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Zlib from "node:zlib"
import { allocate, contentHash } from "../../../src/layers/bars/Bars.ts"
import * as RedshiftApi from "../../../src/layers/warehouse/RedshiftApi.ts"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import * as CauseText from "../../../src/runtime/run/CauseText.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import type * as S3Server from "../../support/S3Server.ts"
import * as S3ServerError from "../../support/S3ServerError.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"
import { after, before, type Control, held, isLoad, replace, scene } from "./RedshiftScene.ts"

const copying = <A, E, R>(body: (control: Control) => Effect.Effect<A, E, R>) => scene(body, {}, "copy")

/** Does something to the first `times` requests for an operation, asked by us or by the warehouse. */
const first = (s3: S3Server.S3Server, times: number, operation: string, fault: S3Server.Fault, by = "us"): void => {
  let left = times
  s3.onRequest((seen) =>
    seen.operation === operation && RedshiftStandIn.isWarehouse(seen.headers) === (by !== "us") && left-- > 0
      ? fault
      : undefined
  )
}

const error = (error: S3ServerError.S3ServerError): S3Server.Fault => ({ kind: "error", error })

const passing: ReadonlyArray<readonly [name: string, times: number, fault: S3Server.Fault]> = [
  ["a request that never arrives", 2, { kind: "drop", when: "before" }],
  ["an answer that is lost", 2, { kind: "drop", when: "after" }],
  ["503 SlowDown", 3, error(S3ServerError.slowDown)],
  ["throttling", 3, error(S3ServerError.throttling)],
  ["500 InternalError", 1, error(S3ServerError.internal)]
]

const final: ReadonlyArray<readonly [name: string, fault: S3Server.Fault, fix: string]> = [
  ["a policy that does not let us write", error(S3ServerError.denied), "s3:PutObject on arn:aws:s3:::lake/temporary/*"],
  ["expired credentials", error(S3ServerError.expired), "aws sso login"],
  ["a bucket that is not there", error(S3ServerError.noSuchBucket("lake")), "the copy= of BAROGRAPH_WAREHOUSE"]
]

/** Changes what is in the bucket when the load is submitted and its objects are complete. */
const onceWritten = ({ listen, s3 }: Control, change: (objects: S3Server.S3Server["buckets"]) => void): void =>
  listen((moment) => {
    if (moment.phase !== "received" || !isLoad({ ...moment, phase: "answering" })) return
    listen(() => {})
    change(s3.buckets)
  })

const unconditional = { ifMatch: undefined, ifNoneMatch: undefined }

const rewrite = (buckets: S3Server.S3Server["buckets"], change: (csv: string) => string): void => {
  const bucket = buckets.get("lake")
  const key = [...bucket.objects.keys()].find((one) => one.endsWith("/0.csv.zst"))!
  const text = Zlib.zstdDecompressSync(bucket.get(key).bytes).toString()
  bucket.put(key, Zlib.zstdCompressSync(change(text)), {}, 0, unconditional)
}

const unmet = (query: number): string => `Query #${query} failed with ERROR: Divide by zero`

const put = ({ buckets }: S3Server.S3Server, key: string, bytes: Buffer): void =>
  void buckets.get("lake").put(key, bytes, {}, 0, unconditional)

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("COPY from a bucket", (it) => {
  for (const [name, times, fault] of passing) {
    it.effect(`${name} on the way into the bucket costs a repetition, and every row is there once`, () =>
      copying(Effect.fnUntraced(function*({ left, s3 }) {
        first(s3, times, "PutObject", fault)
        yield* replace(after)
        expect(yield* held).toEqual(WarehouseTables.expected(after))
        expect(left()).toEqual([])
      })))
  }

  for (const [name, fault, fix] of final) {
    it.effect(`${name} ends the load before the warehouse is asked, and says what to do`, () =>
      copying(Effect.fnUntraced(function*({ left, requests, s3 }) {
        first(s3, 99, "PutObject", fault)
        const error = yield* Effect.flip(replace(after))
        expect(error).toMatchObject({ operation: "replace", retryable: false, reason: { _tag: "NotCopied" } })
        expect(error.fix).toContain(fix)
        expect(CauseText.message(Cause.fail(error))).toContain(`; fix: ${error.fix}`)
        expect(requests()).toEqual([])
        expect(left()).toEqual([])
      })))
  }

  it.effect("a role that may not read the objects is told as such, and nothing has changed", () =>
    copying(Effect.fnUntraced(function*({ left, s3 }) {
      first(s3, 99, "GetObject", error(S3ServerError.denied), "the warehouse")
      const failure = yield* Effect.flip(replace(after))
      expect(failure).toMatchObject({ retryable: false, reason: { _tag: "NotCopied" } })
      expect(failure.fix).toContain("iamRole")
      expect(yield* held).toEqual(WarehouseTables.expected(before))
      expect(left()).toEqual([])
    })))

  it.effect("an object that is gone fails the whole load, which may be tried again", () =>
    copying(Effect.fnUntraced(function*(control) {
      onceWritten(control, (buckets) => {
        const { objects } = buckets.get("lake")
        objects.delete([...objects.keys()].find((key) => key.endsWith("/1.csv.zst"))!)
      })
      const failure = yield* Effect.flip(replace(after))
      expect(failure).toMatchObject({ retryable: true, reason: { _tag: "NotCopied" } })
      expect(failure.message).toContain("NoSuchKey")
      expect(yield* held).toEqual(WarehouseTables.expected(before))
      yield* replace(after)
      expect(yield* held).toEqual(WarehouseTables.expected(after))
    })))

  it.effect("a manifest that is gone fails the whole load", () =>
    copying(Effect.fnUntraced(function*(control) {
      onceWritten(control, (buckets) => buckets.get("lake").objects.clear())
      expect((yield* Effect.flip(replace(after))).message).toContain("Problem reading manifest file")
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    })))

  it.effect("a row with a column too many is named in stl_load_errors, and no row is loaded", () =>
    copying(Effect.fnUntraced(function*(control) {
      const { url } = yield* RedshiftStandIn.StandIn
      onceWritten(control, (buckets) => rewrite(buckets, (csv) => csv.replace("\n", ",7\n")))
      const failure = yield* Effect.flip(replace(after))
      expect(failure).toMatchObject({ retryable: false, reason: { _tag: "Failed" } })
      expect(failure.message).toContain(
        "Load into table 'bars' failed.  Check 'stl_load_errors' system table for details."
      )
      const api = yield* RedshiftApi.make(RedshiftStandIn.targetOf(url))
      const asked = "select line_number, err_code, err_reason from stl_load_errors order by starttime desc limit 1"
      const { rows } = yield* api.rows(yield* api.run([asked]), 1)
      expect(rows).toEqual([[1, 1202, "Extra column(s) found"]])
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    }, Effect.scoped)))

  it.effect("fewer rows in the bucket than in the load: none of them is loaded", () =>
    copying(Effect.fnUntraced(function*({ s3 }) {
      const { url } = yield* RedshiftStandIn.StandIn
      const target = RedshiftStandIn.copyingTargetOf(url, s3.url)
      const api = yield* RedshiftApi.make(target)
      const row = "test,IBM,1min,2024-03-05 14:30:00,1,1,1,1,1,2024-03-05,2024-03-07 00:00:00\n"
      put(s3, "short.csv.zst", Zlib.zstdCompressSync(row))
      const entries = [{ url: "s3://lake/short.csv.zst", mandatory: true }]
      put(s3, "manifest", Buffer.from(JSON.stringify({ entries })))
      const load = { schema: "warehouse", partitions: after, generations: [1, 1], limit: 98_000, now: 0 }
      const { statements } = RedshiftSql.copied(load, target.copy!, "s3://lake/manifest", target.region)
      expect(yield* Effect.flip(api.run(statements))).toMatchObject({ _tag: "Failed", text: unmet(9) })
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    }, Effect.scoped)))

  it.effect("instants to the millisecond on both sides of midnight, and any number and name, are read back as they were", () =>
    copying(Effect.fnUntraced(function*() {
      const bars = allocate(4)
      const at = [
        "2024-03-04T23:59:59.999Z",
        "2024-03-05T00:00:00.000Z",
        "2024-03-05T09:08:07.060Z",
        "2024-03-06T00:00:05Z"
      ]
      bars.ts.set(at.map((instant) => Date.parse(instant)))
      bars.open.set([1e-7, 0.1 + 0.2, -0, 5])
      bars.high.set([1e21, 1 / 3, 123456789.12345679, 5])
      bars.volume.set([2 ** 53, 0, 1.5, 5])
      const symbol = `A,"B\\'; --`
      const odd = {
        source: "test",
        interval: "1min",
        symbol,
        session: "2024-03-05",
        bars,
        contentHash: contentHash(bars)
      }
      yield* replace([odd])
      expect(yield* WarehouseTables.held(symbol)).toEqual(WarehouseTables.expected([odd]))
    })))

  it.effect("a role that the warehouse may not take is told as such", () =>
    copying(Effect.fnUntraced(function*({ s3 }) {
      const { url } = yield* RedshiftStandIn.StandIn
      const target = RedshiftStandIn.copyingTargetOf(url, s3.url)
      const other = { ...target, copy: { ...target.copy!, iamRole: "arn:aws:iam::123456789012:role/other" } }
      const limits = { ...RedshiftSql.limits, copyRows: 1 }
      const failure = yield* Effect.flip(replace(after)).pipe(Effect.provide(RedshiftData.layer(other, limits)))
      expect(failure.message).toContain("not authorized to assume IAM Role arn:aws:iam::123456789012:role/other")
      expect(failure.fix).toContain("Attach the iamRole")
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    })))

  it.effect("objects that cannot be removed do not undo the load", () =>
    copying(Effect.fnUntraced(function*({ left, s3 }) {
      first(s3, 99, "DeleteObject", error(S3ServerError.denied))
      const said: Array<unknown> = []
      yield* Effect.provide(replace(after), Logger.layer([Logger.make(({ message }) => said.push(message))]))
      expect(said.flat()).toEqual([
        expect.stringMatching(/^objects stay below the copy= .*: remove .* fix: allow s3:Del/)
      ])
      expect(yield* held).toEqual(WarehouseTables.expected(after))
      expect(left()).toHaveLength(3)
    })))

  it.effect("what was left another day goes, what others use now or put there stays", () =>
    copying(Effect.fnUntraced(function*({ left, s3 }) {
      const id = "0123456789abcdef0123456789abcdef"
      const now = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")
      const keys = [`temporary/20240305T143000Z-${id}/0.csv.zst`, `temporary/${now}Z-${id}/manifest`, "temporary/notes"]
      for (const key of keys) put(s3, key, Buffer.from("x"))
      yield* replace(after)
      expect(left()).toEqual(keys.slice(1))
    })))

  it.effect("a load that is not worth it does not touch the bucket", () =>
    copying(Effect.fnUntraced(function*({ s3 }) {
      const { url } = yield* RedshiftStandIn.StandIn
      const from = s3.seen.length
      yield* replace(after).pipe(Effect.provide(RedshiftData.layer(RedshiftStandIn.copyingTargetOf(url, s3.url))))
      expect(yield* held).toEqual(WarehouseTables.expected(after))
      expect(s3.seen.length).toBe(from)
    })))
})
