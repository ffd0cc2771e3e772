/** What may go wrong between us and the Data API, each with what the tables hold afterwards. */
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { contentHash } from "../../../src/layers/bars/Bars.ts"
import * as RedshiftApi from "../../../src/layers/warehouse/RedshiftApi.ts"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import type { RedshiftTarget } from "../../../src/layers/warehouse/RedshiftTarget.ts"
import { type LoadPartition, Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import * as EmbeddedDatabase from "../../support/EmbeddedDatabase.ts"
import type { Fault, Moment, Options } from "../../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as TestBars from "../../support/TestBars.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"

const partition = (symbol: string, session: string, base: number): LoadPartition => {
  const bars = TestBars.make(session, 30, base)
  return { source: "test", interval: "1min", symbol, session, bars, contentHash: contentHash(bars) }
}

const before = [partition("IBM", "2024-03-05", 100), partition("IBM", "2024-03-06", 100)]
const after = [partition("IBM", "2024-03-05", 200), partition("IBM", "2024-03-06", 200)]

const replace = (partitions: ReadonlyArray<LoadPartition>) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.replace(partitions))

type Hook = (moment: Moment) => Fault | void

/** A warehouse that holds `before`; the hook hears of what happens from then on. */
const scene = <A, E, R>(
  body: (
    control: { readonly listen: (hook: Hook) => void; readonly requests: () => ReadonlyArray<string> }
  ) => Effect.Effect<A, E, R>,
  options: Omit<Options, "connection" | "hook"> = {}
) => {
  let hook: Hook = () => {}
  const server = RedshiftStandIn.server({ ...options, hook: (moment) => hook(moment) })
  const warehouse = Layer.unwrap(
    Effect.map(RedshiftStandIn.StandIn, ({ url }) => RedshiftData.layer(RedshiftStandIn.targetOf(url)))
  )
  const empty = Layer.effectDiscard(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`drop schema if exists warehouse cascade`)
  )
  return Effect.gen(function*() {
    const { requests } = yield* RedshiftStandIn.StandIn
    yield* replace(before)
    const from = requests.length
    return yield* body({ listen: (heard) => (hook = heard), requests: () => requests.slice(from) })
  }).pipe(Effect.provide(Layer.provideMerge(warehouse, Layer.provideMerge(server, empty))))
}

/** Does something at the first `times` moments of a kind. */
const first = (times: number, phase: Moment["phase"], action: string, fault: Fault): Hook => {
  let left = times
  return (moment) => moment.phase === phase && moment.action === action && left-- > 0 ? fault : undefined
}

const held = WarehouseTables.held("IBM")

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

function refusal(type: string, message: string, status = 400): Fault {
  return { _tag: "Refuse", type, message, status }
}

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

/** Runs `body` while somebody else holds the ledger, so that a load waits on the server. */
const whileLocked = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql.withTransaction(Effect.andThen(sql`lock table warehouse.bar_loads in exclusive mode`, body))
  )

/** Resolves when the server has seen the moment. */
const moment = (listen: (hook: Hook) => void, wanted: (moment: Moment) => boolean) =>
  Effect.callback<void>((resume) =>
    listen((seen) => {
      if (wanted(seen)) resume(Effect.void)
    })
  )

/** The load itself is waited for: its batch has more statements than the question before it. */
const isLoad = ({ action, body, phase }: Moment): boolean =>
  phase === "answering" && action === "BatchExecuteStatement" && (body["Sqls"] as ReadonlyArray<string>).length > 1

layer(EmbeddedDatabase.layer, { timeout: "60 seconds", excludeTestServices: true })("faults of the Data API", (it) => {
  for (const [name, hook] of passing) {
    it.effect(`${name} costs a repetition, and every row is there once`, () =>
      scene(Effect.fnUntraced(function*({ listen }) {
        const { statements } = yield* RedshiftStandIn.StandIn
        const known = statements.all.size
        listen(hook())
        expect(yield* replace(after)).toEqual([30, 30].map((rows) => ({ rows, inserted: rows, deleted: rows })))
        expect(yield* held).toEqual(WarehouseTables.expected(after))
        // One for the ledger's generations and one for the load: repeated requests ran nothing twice.
        expect(statements.all.size - known).toBe(2)
      })))
  }

  for (const [name, fault, reason, fix] of final) {
    it.effect(`${name} ends the load at once, says what to do, and changes nothing`, () =>
      scene(Effect.fnUntraced(function*({ listen, requests }) {
        listen(first(99, "received", "BatchExecuteStatement", fault))
        const error = yield* Effect.flip(replace(after))
        expect(error).toMatchObject({ operation: "replace", retryable: false, reason: { _tag: reason } })
        expect(error.fix).toContain(fix)
        expect(requests()).toEqual(["BatchExecuteStatement"])
        expect(yield* held).toEqual(WarehouseTables.expected(before))
      })))
  }

  it.effect("two serialization failures cost two repetitions of the whole load", () => {
    let failures = 2
    const fail = (sqls: ReadonlyArray<string>) =>
      started && sqls.length > 2 && failures > 0 && failures-- > 0
        ? "ERROR: 1023 DETAIL: Serializable isolation violation on table - 105, transactions forming the cycle are: 1, 2"
        : undefined
    let started = false
    return scene(
      Effect.fnUntraced(function*() {
        started = true
        expect(yield* replace(after)).toHaveLength(2)
        expect(failures).toBe(0)
        expect(yield* held).toEqual(WarehouseTables.expected(after))
      }),
      { fail }
    )
  })

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

  it.effect("an interrupted load is cancelled on the server and has not happened", () =>
    scene(Effect.fnUntraced(function*({ listen, requests }) {
      const { statements } = yield* RedshiftStandIn.StandIn
      yield* whileLocked(Effect.gen(function*() {
        const submitted = yield* Effect.forkChild(moment(listen, isLoad), { startImmediately: true })
        const load = yield* Effect.forkChild(replace(after), { startImmediately: true })
        yield* Fiber.join(submitted)
        yield* Fiber.interrupt(load)
        yield* Effect.promise(() => statements.idle())
      }))
      expect(requests()).toContain("CancelStatement")
      expect([...statements.all.values()].at(-1)).toMatchObject({ status: "ABORTED" })
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    })))

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

  it.effect("a statement that a dead process left behind changes nothing once a younger load is there", () =>
    scene(Effect.fnUntraced(function*() {
      const { url } = yield* RedshiftStandIn.StandIn
      const api = yield* RedshiftApi.make(RedshiftStandIn.targetOf(url))
      const orphan = [partition("IBM", "2024-03-05", 900), partition("IBM", "2024-03-06", 900)]
      const load = { schema: "warehouse", partitions: orphan, generations: [1, 1], limit: 98_000, now: 0 }
      const late = RedshiftSql.oneTransaction(load, RedshiftSql.stage(orphan, 98_000))
      yield* replace(after)
      const { rows } = yield* api.rows(yield* api.run(late.statements), late.answer)
      expect(rows).toEqual([])
      expect(yield* held).toEqual(WarehouseTables.expected(after))
    }, Effect.scoped)))

  it.effect("one of two partitions was loaded by another: neither is touched", () =>
    scene(Effect.fnUntraced(function*() {
      const { url } = yield* RedshiftStandIn.StandIn
      const api = yield* RedshiftApi.make(RedshiftStandIn.targetOf(url))
      const load = { schema: "warehouse", partitions: after, generations: [1, 0], limit: 98_000, now: 0 }
      const { answer, statements } = RedshiftSql.oneTransaction(load, RedshiftSql.stage(after, 98_000))
      expect((yield* api.rows(yield* api.run(statements), answer)).rows).toEqual([])
      expect(yield* held).toEqual(WarehouseTables.expected(before))
    }, Effect.scoped)))

  it.effect("eight writers with eight versions: one of them is there, whole, and the ledger names it", () =>
    scene(Effect.fnUntraced(function*() {
      const versions = Array.from(
        { length: 8 },
        (_, at) => [partition("IBM", "2024-03-05", 300 + at), partition("IBM", "2024-03-06", 300 + at)]
      )
      yield* Effect.forEach(versions, replace, { concurrency: "unbounded", discard: true })
      const found = yield* held
      const winner = versions.find(([one]) => one!.contentHash === found.ledger[0]![2])!
      expect(found).toEqual(WarehouseTables.expected(winner))
    })))
})
