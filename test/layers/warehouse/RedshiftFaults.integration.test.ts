/** What may go wrong between us and the Data API, each with what the tables hold afterwards. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RedshiftApi from "../../../src/layers/warehouse/RedshiftApi.ts"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import type { RedshiftTarget } from "../../../src/layers/warehouse/RedshiftTarget.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import type { Fault } from "../../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"
import {
  after,
  before,
  first,
  held,
  type Hook,
  isLoad,
  moment,
  partition,
  refusal,
  replace,
  scene,
  whileLocked
} from "./RedshiftScene.ts"

const passing: ReadonlyArray<readonly [name: string, hook: () => Hook]> = [
  ["a request that never arrives", () => first(2, "received", "BatchExecuteStatement", { _tag: "Cut" })],
  ["a reply that is lost", () => first(4, "answering", "BatchExecuteStatement", { _tag: "Cut" })],
  ["a reply that breaks off in its middle", () => first(1, "answering", "DescribeStatement", { _tag: "CutBody" })],
  ["a result that is lost", () => first(2, "answering", "GetStatementResult", { _tag: "Cut" })],
  ["throttling", () => first(5, "received", "BatchExecuteStatement", refusal("ThrottlingException", "Rate exceeded"))],
  [
    "too many statements at a time, which the SDK itself does not repeat",
    () =>
      first(
        3,
        "received",
        "BatchExecuteStatement",
        refusal("ActiveStatementsExceededException", "Active statements exceeded the allowed quota.")
      )
  ],
  [
    "an error within the service",
    () => first(4, "received", "DescribeStatement", refusal("InternalServerException", "oops", 500))
  ]
]

const final: ReadonlyArray<readonly [name: string, fault: Fault, reason: string, fix: string]> = [
  [
    "expired credentials",
    refusal("ExpiredTokenException", "The security token included in the request is expired"),
    "ExpiredCredentials",
    "aws sso login"
  ],
  [
    "an unknown key",
    refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
    "WrongCredentials",
    "Check key and secret"
  ],
  [
    "a policy that does not allow it",
    refusal("AccessDeniedException", "User: x is not authorized to perform: redshift-data:BatchExecuteStatement"),
    "Denied",
    "GRANT"
  ],
  [
    "a workgroup that is elsewhere",
    refusal("ValidationException", "Redshift endpoint doesn't exist in this region."),
    "NotFound",
    "region of BAROGRAPH_WAREHOUSE"
  ]
]

/** What was loaded meanwhile makes the load's fourth statement fail. */
const unmet = { _tag: "Failed", text: "Query #4 failed with ERROR: Divide by zero" }

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("faults of the Data API", (it) => {
  for (const way of ["statements", "copy"] as const) {
    for (const [name, hook] of passing) {
      it.effect(`${name} costs a repetition, and every row is there once, by ${way}`, () =>
        scene(
          Effect.fnUntraced(function*({ left, listen }) {
            const { statements } = yield* RedshiftStandIn.StandIn
            const known = statements.all.size
            listen(hook())
            expect(yield* replace(after)).toEqual([30, 30].map((rows) => ({ rows, inserted: rows, deleted: rows })))
            expect(yield* held).toEqual(WarehouseTables.expected(after))
            // One for the ledger's generations and one for the load: repeated requests ran nothing twice.
            expect(statements.all.size - known).toBe(2)
            expect(left()).toEqual([])
          }),
          {},
          way
        ))
    }

    for (const [name, fault, reason, fix] of final) {
      it.effect(`${name} ends the load by ${way} at once, says what to do, and changes nothing`, () =>
        scene(
          Effect.fnUntraced(function*({ left, listen, requests }) {
            listen(first(99, "received", "BatchExecuteStatement", fault))
            const error = yield* Effect.flip(replace(after))
            expect(error).toMatchObject({ operation: "replace", retryable: false, reason: { _tag: reason } })
            expect(error.fix).toContain(fix)
            expect(requests()).toEqual(["BatchExecuteStatement"])
            expect(yield* held).toEqual(WarehouseTables.expected(before))
            expect(left()).toEqual([])
          }),
          {},
          way
        ))
    }

    it.effect(`two serialization failures cost two repetitions of the whole load by ${way}`, () => {
      let failures = 2
      const fail = (sqls: ReadonlyArray<string>) =>
        started && sqls.length > 2 && failures > 0 && failures-- > 0
          ? "ERROR: 1023 DETAIL: Serializable isolation violation on table - 105, transactions forming the cycle are: 1, 2"
          : undefined
      let started = false
      return scene(
        Effect.fnUntraced(function*({ left, s3 }) {
          started = true
          const put = s3.seen.filter(({ operation }) => operation === "PutObject").length
          expect(yield* replace(after)).toHaveLength(2)
          expect(failures).toBe(0)
          expect(yield* held).toEqual(WarehouseTables.expected(after))
          // What is in the bucket serves all three attempts.
          const written = s3.seen.filter(({ operation }) => operation === "PutObject").length - put
          expect(written).toBe(way === "copy" ? 3 : 0)
          expect(left()).toEqual([])
        }),
        { fail },
        way
      )
    })

    it.effect(`an interrupted load by ${way} is cancelled on the server and has not happened`, () =>
      scene(
        Effect.fnUntraced(function*({ left, listen, requests }) {
          const { idle, statements } = yield* RedshiftStandIn.StandIn
          yield* whileLocked(Effect.gen(function*() {
            const submitted = yield* Effect.forkChild(moment(listen, isLoad), { startImmediately: true })
            const load = yield* Effect.forkChild(replace(after), { startImmediately: true })
            yield* Fiber.join(submitted)
            yield* Fiber.interrupt(load)
            yield* Effect.promise(idle)
          }))
          expect(requests()).toContain("CancelStatement")
          expect([...statements.all.values()].at(-1)).toMatchObject({ status: "ABORTED" })
          expect(yield* held).toEqual(WarehouseTables.expected(before))
          expect(left()).toEqual([])
        }),
        {},
        way
      ))

    it.effect(`eight writers with eight versions by ${way}: one of them is there, whole, and the ledger names it`, () =>
      scene(
        Effect.fnUntraced(function*({ left }) {
          const versions = Array.from(
            { length: 8 },
            (_, at) => [partition("IBM", "2024-03-05", 300 + at), partition("IBM", "2024-03-06", 300 + at)]
          )
          yield* Effect.forEach(versions, replace, { concurrency: "unbounded", discard: true })
          const found = yield* held
          const winner = versions.find(([one]) => one!.contentHash === found.ledger[0]![2])!
          expect(found).toEqual(WarehouseTables.expected(winner))
          expect(left()).toEqual([])
        }),
        {},
        way
      ))
  }

  it.effect("a machine whose clock is an hour behind loads all the same", () =>
    scene(
      Effect.fnUntraced(function*() {
        yield* replace(after)
        expect(yield* held).toEqual(WarehouseTables.expected(after))
      }),
      { clockAhead: 3_600_000 }
    ))

  it.effect("another region than the workgroup's is told as such", () =>
    scene(Effect.fnUntraced(function*() {
      const { url } = yield* RedshiftStandIn.StandIn
      const elsewhere: RedshiftTarget = { ...RedshiftStandIn.targetOf(url), region: "eu-west-1" }
      const error = yield* Effect.flip(Layer.launch(RedshiftData.layer(elsewhere)))
      expect(error).toMatchObject({ operation: "migrate", reason: { _tag: "WrongCredentials" } })
      expect(error.message).toContain("eu-west-1")
    })))

  it.effect("results come page by page", () =>
    scene(
      Effect.fnUntraced(function*({ requests }) {
        expect(yield* replace([...after, partition("IBM", "2024-03-07", 200)])).toHaveLength(3)
        expect(requests().filter((action) => action === "GetStatementResult")).toHaveLength(2 + 3)
      }),
      { pageRows: 1 }
    ))

  it.effect("a service that does not wait is not asked without a pause", () =>
    scene(
      Effect.fnUntraced(function*({ listen, requests }) {
        const asked = yield* whileLocked(Effect.gen(function*() {
          const submitted = yield* Effect.forkChild(moment(listen, isLoad), { startImmediately: true })
          const load = yield* Effect.forkChild(replace(after), { startImmediately: true })
          yield* Fiber.join(submitted)
          yield* Effect.sleep("2 seconds")
          return { load, describes: requests().filter((action) => action === "DescribeStatement").length }
        }))
        yield* Fiber.join(asked.load)
        expect(asked.describes).toBeLessThan(10)
        expect(yield* held).toEqual(WarehouseTables.expected(after))
      }),
      { grantsWaiting: false }
    ))

  it.effect("a statement that a dead process left behind fails once a younger load is there", () =>
    scene(Effect.fnUntraced(function*() {
      const { url } = yield* RedshiftStandIn.StandIn
      const api = yield* RedshiftApi.make(RedshiftStandIn.targetOf(url))
      const orphan = [partition("IBM", "2024-03-05", 900), partition("IBM", "2024-03-06", 900)]
      const load = { schema: "warehouse", partitions: orphan, generations: [1, 1], limit: 98_000, now: 0 }
      const late = RedshiftSql.oneTransaction(load, RedshiftSql.stage(orphan, 98_000))
      yield* replace(after)
      expect(yield* Effect.flip(api.run(late.statements))).toMatchObject(unmet)
      expect(yield* held).toEqual(WarehouseTables.expected(after))
    }, Effect.scoped)))

  it.effect("one of two partitions was loaded by another: neither is touched", () =>
    scene(Effect.fnUntraced(function*() {
      const { url } = yield* RedshiftStandIn.StandIn
      const api = yield* RedshiftApi.make(RedshiftStandIn.targetOf(url))
      const load = { schema: "warehouse", partitions: after, generations: [1, 0], limit: 98_000, now: 0 }
      const { statements } = RedshiftSql.oneTransaction(load, RedshiftSql.stage(after, 98_000))
      expect(yield* Effect.flip(api.run(statements))).toMatchObject(unmet)
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    }, Effect.scoped)))
})
