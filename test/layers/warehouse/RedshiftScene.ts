/** A warehouse in Redshift that holds two sessions, and somebody who lets the services around it fail. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { contentHash } from "../../../src/layers/bars/Bars.ts"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import { type LoadPartition, Warehouse } from "../../../src/layers/warehouse/Warehouse.ts"
import type { Fault, Moment, Options } from "../../support/RedshiftServer.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as S3Server from "../../support/S3Server.ts"
import * as TestBars from "../../support/TestBars.ts"
import * as WarehouseTables from "../../support/WarehouseTables.ts"

export const partition = (symbol: string, session: string, base: number): LoadPartition => {
  const bars = TestBars.make(session, 30, base)
  return { source: "test", interval: "1min", symbol, session, bars, contentHash: contentHash(bars) }
}

export const before = [partition("IBM", "2024-03-05", 100), partition("IBM", "2024-03-06", 100)]
export const after = [partition("IBM", "2024-03-05", 200), partition("IBM", "2024-03-06", 200)]

export const replace = (partitions: ReadonlyArray<LoadPartition>) =>
  Effect.flatMap(Warehouse, (warehouse) => warehouse.replace(partitions))

export type Hook = (moment: Moment) => Fault | void

/** How rows travel: as statements, or through a bucket, each session in an object of its own. */
export type Way = "statements" | "copy"

export interface Control {
  /** The hook hears of what the Data API is asked from then on. */
  readonly listen: (hook: Hook) => void
  readonly requests: () => ReadonlyArray<string>
  readonly s3: S3Server.S3Server
  /** The keys in the bucket. */
  readonly left: () => ReadonlyArray<string>
}

const warehouse = (way: Way, s3: string) =>
  Layer.unwrap(
    Effect.map(RedshiftStandIn.StandIn, ({ url }) =>
      way === "copy"
        ? RedshiftData.layer(RedshiftStandIn.copyingTargetOf(url, s3), {
          ...RedshiftSql.limits,
          copyRows: 1,
          objectRows: 30
        })
        : RedshiftData.layer(RedshiftStandIn.targetOf(url)))
  )

const empty = Layer.effectDiscard(
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql`drop schema if exists warehouse cascade`)
)

/** A warehouse that holds `before`. */
export const scene = <A, E, R>(
  body: (control: Control) => Effect.Effect<A, E, R>,
  options: Omit<Options, "connection" | "hook" | "s3"> = {},
  way: Way = "statements"
) =>
  Effect.gen(function*() {
    let hook: Hook = () => {}
    const s3 = yield* S3Server.make()
    const standIn = { ...options, hook: (moment: Moment) => hook(moment), s3: { endpoint: s3.url, roles: [] } }
    const services = Layer.provideMerge(RedshiftStandIn.server(standIn), empty)
    return yield* Effect.gen(function*() {
      const { requests } = yield* RedshiftStandIn.StandIn
      yield* replace(before)
      const from = requests.length
      return yield* body({
        listen: (heard) => (hook = heard),
        requests: () => requests.slice(from),
        s3,
        left: () => [...s3.buckets.get("lake").objects.keys()]
      })
    }).pipe(Effect.provide(Layer.provideMerge(warehouse(way, s3.url), services)))
  })

/** Does something at the first `times` moments of a kind. */
export const first = (times: number, phase: Moment["phase"], action: string, fault: Fault): Hook => {
  let left = times
  return (moment) => moment.phase === phase && moment.action === action && left-- > 0 ? fault : undefined
}

export const held = WarehouseTables.held("IBM")

export function refusal(type: string, message: string, status = 400): Fault {
  return { _tag: "Refuse", type, message, status }
}

/** Runs `body` while somebody else holds the ledger, so that a load waits on the server. */
export const whileLocked = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql.withTransaction(Effect.andThen(sql`lock table warehouse.bar_loads in exclusive mode`, body))
  )

/** Resolves when the server has seen the moment. */
export const moment = (listen: (hook: Hook) => void, wanted: (moment: Moment) => boolean) =>
  Effect.callback<void>((resume) =>
    listen((seen) => {
      if (wanted(seen)) resume(Effect.void)
    })
  )

/** The load itself is waited for: its batch has more statements than the question before it. */
export const isLoad = ({ action, body, phase }: Moment): boolean =>
  phase === "answering" && action === "BatchExecuteStatement" && (body["Sqls"] as ReadonlyArray<string>).length > 1
