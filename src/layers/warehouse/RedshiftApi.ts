/**
 * The Data API as an Effect: a batch runs as one transaction, is waited for without polling, and is cancelled on the
 * server when nobody waits for it any more. The SDK, which is loaded when the first Redshift is opened, repeats calls that
 * were throttled or broke off; what it does not repeat is repeated here, with the same token, so nothing runs twice.
 */
import type * as Sdk from "@aws-sdk/client-redshift-data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Crypto from "node:crypto"
import * as RealTime from "../database/RealTime.ts"
import * as RedshiftFailure from "./RedshiftFailure.ts"
import type { RedshiftTarget } from "./RedshiftTarget.ts"
import type { WarehouseReason } from "./WarehouseReason.ts"

export type Value = string | number | boolean | null

export interface Rows {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<Value>>
}

export interface RedshiftApi {
  /** One transaction, run once for each time this is called. Answers the statement's id. */
  readonly run: (statements: ReadonlyArray<string>) => Effect.Effect<string, WarehouseReason>
  /** All rows that the statement at `position`, from 1, answered; page by page. */
  readonly rows: (id: string, position: number) => Effect.Effect<Rows, WarehouseReason>
}

// The longest wait that the service grants, and more than it for a connection that says nothing.
const WAIT_SECONDS = 30
const SILENCE_MILLIS = 60_000

/** Half a second to ten. A burst of others needs a minute or two to pass; an address where nobody answers, not so long. */
const busy = Schedule.exponential("500 millis").pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(10)))),
  Schedule.setInputType<WarehouseReason>(),
  Schedule.while(({ attempt, input }) =>
    input._tag === "Throttled" ? attempt <= 16 : input._tag === "Unreachable" && attempt <= 4
  )
)

const address = ({ database, dbUser, kind, name, secretArn }: RedshiftTarget) => ({
  Database: database,
  ...(kind === "workgroup" ? { WorkgroupName: name } : { ClusterIdentifier: name }),
  ...(dbUser === undefined ? {} : { DbUser: dbUser }),
  ...(secretArn === undefined ? {} : { SecretArn: secretArn })
})

/**
 * Names the request: the same one for all its repetitions, so that the service runs it once however often it arrives.
 * Another call draws another number: equal statements may have to run again, and a token outlives its statement.
 */
const tokenOf = (target: RedshiftTarget, statements: ReadonlyArray<string>, drawn: number): string =>
  Crypto.createHash("sha256").update(JSON.stringify([target, drawn, statements])).digest("hex")

export const make = Effect.fnUntraced(function*(target: RedshiftTarget) {
  const sdk = yield* Effect.promise(() => import("@aws-sdk/client-redshift-data"))
  const client = yield* Effect.acquireRelease(
    Effect.sync(() =>
      new sdk.RedshiftDataClient({
        ...(target.region === undefined ? {} : { region: target.region }),
        ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint }),
        requestHandler: { connectionTimeout: 5_000, requestTimeout: SILENCE_MILLIS, throwOnRequestTimeout: true }
      })
    ),
    (client) => Effect.sync(() => client.destroy())
  )
  return api(target, sdk, client)
})

const api = (target: RedshiftTarget, sdk: typeof Sdk, client: Sdk.RedshiftDataClient): RedshiftApi => {
  const call = <A>(send: (options: { readonly abortSignal: AbortSignal }) => Promise<A>) =>
    Effect.tryPromise({ try: (abortSignal) => send({ abortSignal }), catch: RedshiftFailure.ofCall })

  const submit = (statements: ReadonlyArray<string>, token: string) => {
    const command = { ...address(target), Sqls: [...statements], ClientToken: token, StatementName: "barograph" }
    return call((options) => client.send(new sdk.BatchExecuteStatementCommand(command), options)).pipe(
      Effect.map(({ Id }) => Id!)
    )
  }

  const describe = (id: string) =>
    call((options) => client.send(new sdk.DescribeStatementCommand({ Id: id, WaitTimeSeconds: WAIT_SECONDS }), options))
      .pipe(Effect.retry(busy))

  const cancel = (id: string) =>
    call((options) => client.send(new sdk.CancelStatementCommand({ Id: id }), options)).pipe(
      Effect.timeout("10 seconds"),
      Effect.ignore
    )

  // Each description waits on the server. Where that is not granted, the pause grows, so that nobody polls busily.
  const wait = Effect.fnUntraced(function*(id: string) {
    for (let round = 0;; round++) {
      const { Error: error, Status: status } = yield* describe(id)
      if (status === "FINISHED") return id
      if (status === "FAILED" || status === "ABORTED") {
        return yield* Effect.fail(RedshiftFailure.ofStatement(status, error))
      }
      yield* Effect.sleep(Math.min(100 * 2 ** round, 2_000))
    }
  })

  const page = (id: string, token: string | undefined) =>
    call((options) =>
      client.send(
        new sdk.GetStatementResultCommand({ Id: id, ...(token === undefined ? {} : { NextToken: token }) }),
        options
      )
    ).pipe(Effect.retry(busy))

  return {
    run: Effect.fnUntraced(function*(statements) {
      const token = tokenOf(target, statements, yield* Random.nextInt)
      let id: string | undefined
      // Not cut off between sending and knowing the id: without the id nothing could be cancelled.
      return yield* submit(statements, token).pipe(
        Effect.map((made) => (id = made)),
        Effect.uninterruptible,
        Effect.retry(busy),
        Effect.flatMap(wait),
        Effect.onInterrupt(() => id === undefined ? Effect.void : cancel(id))
      )
    }, RealTime.keep),
    rows: Effect.fnUntraced(function*(id, position) {
      const rows: Array<ReadonlyArray<Value>> = []
      let columns: ReadonlyArray<string> = []
      let token: string | undefined
      do {
        const { ColumnMetadata, NextToken, Records } = yield* page(`${id}:${position}`, token)
        columns = ColumnMetadata?.map(({ label, name }) => label ?? name ?? "") ?? columns
        for (const record of Records ?? []) rows.push(record.map(valueOf))
        token = NextToken
      } while (token !== undefined)
      return { columns, rows }
    }, RealTime.keep)
  }
}

const valueOf = (field: Sdk.Field): Value =>
  field.isNull === true
    ? null
    : field.stringValue ?? field.longValue ?? field.doubleValue ?? field.booleanValue ?? null
