/**
 * The statements of a load, for Redshift's SQL. Pure: from partitions to texts.
 *
 * A load is one transaction that begins with the lock on the ledger: in Redshift the first statement that reads, writes
 * or creates takes the transaction's snapshot, and a lock that is taken later would guard rows of the past. Locking the
 * ledger, not `bars`, queues loads and lets analysts read on.
 *
 * Every ledger row has a `generation`. A load says which one it found and fails when another load came in between, so a
 * statement that its dead process left behind cannot overwrite a younger load.
 */
import * as Crypto from "node:crypto"
import * as SessionWindow from "../bars/SessionWindow.ts"
import * as Literal from "./Literal.ts"
import { rowsOf } from "./Load.ts"
import type { CopySource } from "./RedshiftTarget.ts"
import type { LoadPartition } from "./Warehouse.ts"

export interface Limits {
  /** Statements per batch: the service allows 40. */
  readonly statements: number
  /** Bytes per statement: the service allows 100 KB. */
  readonly bytes: number
  /**
   * Where there is a bucket, this many rows or more are copied out of it. Before the stand-in COPY is quicker from 2,000
   * rows on; at 10,000 by 40 milliseconds, at 25,000 by 200, which half a dozen requests to an S3 that is not on this machine
   * may take. AWS says that Redshift itself takes literals much worse than files.
   */
  readonly copyRows: number
  /** In one object of the bucket. */
  readonly objectRows: number
}

export const limits: Limits = { statements: 40, bytes: 98_000, copyRows: 10_000, objectRows: 100_000 }

/** What the ledger says of a partition; 0 where it was never loaded. */
export type Generations = ReadonlyArray<number>

const COLUMNS = `"source", "symbol", "interval", "ts", "open", "high", "low", "close", "volume", "session", "loaded_at"`

const ROW_COLUMNS = `"part" integer, "ms" integer, "open" double precision, "high" double precision,
  "low" double precision, "close" double precision, "volume" double precision`

/** Texts joined with commas to statements below the limit. */
const chunks = (head: string, rows: Iterable<string>, limit: number): ReadonlyArray<string> => {
  const statements: Array<string> = []
  let held: Array<string> = []
  let bytes = 0
  for (const row of rows) {
    const size = Buffer.byteLength(row) + 1
    if (held.length > 0 && head.length + bytes + size > limit) {
      statements.push(head + held.join(","))
      held = []
      bytes = 0
    }
    held.push(row)
    bytes += size
  }
  if (held.length > 0) statements.push(head + held.join(","))
  return statements
}

const tuple = (...literals: ReadonlyArray<string>): string => `(${literals.join(",")})`

function* barRows(partitions: ReadonlyArray<LoadPartition>, prefix: string): Generator<string> {
  for (let part = 0; part < partitions.length; part++) {
    const { bars, session } = partitions[part]!
    const midnight = Date.parse(session)
    const lead = `(${prefix}${Literal.integer(part)},`
    for (let at = 0; at < bars.length; at++) {
      yield `${lead}${Literal.integer(bars.ts[at]! - midnight)},${Literal.number(bars.open[at]!)},`
        + `${Literal.number(bars.high[at]!)},${Literal.number(bars.low[at]!)},${Literal.number(bars.close[at]!)},`
        + `${Literal.number(bars.volume[at]!)})`
    }
  }
}

/** The rows, for the temporary table of one transaction. `ms` counts from the session's UTC midnight: short literals. */
export const stage = (partitions: ReadonlyArray<LoadPartition>, limit: number): ReadonlyArray<string> =>
  chunks("insert into barograph_rows values ", barRows(partitions, ""), limit)

/** The rows, for the table that several transactions fill. */
export const stageShared = (
  schema: string,
  load: string,
  partitions: ReadonlyArray<LoadPartition>,
  limit: number
): ReadonlyArray<string> =>
  chunks(
    `insert into ${schema}.bar_stage ("load_id", "part", "ms", "open", "high", "low", "close", "volume") values `,
    barRows(partitions, `${Literal.text(load)},`),
    limit
  )

const ask = (partitions: ReadonlyArray<LoadPartition>, generations: Generations, limit: number) =>
  chunks(
    "insert into barograph_load values ",
    partitions.map(({ bars, contentHash, interval, session, source, symbol }, part) =>
      tuple(
        Literal.integer(part),
        Literal.text(source),
        Literal.text(symbol),
        Literal.text(interval),
        Literal.text(session),
        Literal.integer(bars.length),
        Literal.text(contentHash),
        Literal.integer(generations[part]!)
      )
    ),
    limit
  )

/** Redshift has no statement that fails on a condition: this one divides by zero. No other of a load divides. */
const must = (condition: string, from = ""): string => `select 1 / case when ${condition} then 1 else 0 end ${from}`

/** Whether the database's words say that a `must` was not so. Compute nodes and the leader have words of their own. */
export const isUnmet = (text: string): boolean => /\bdivi(?:de|sion) by zero/i.test(text)

/** Locks, names what is loaded, and fails when the ledger has moved on. */
const open = ({ generations, limit, partitions, schema }: Load) => [
  `lock ${schema}.bar_loads`,
  `create temp table barograph_load ("part" integer, "source" varchar(64), "symbol" varchar(64),
    "interval" varchar(16), "session" date, "rows" integer, "content_hash" varchar(64), "generation" bigint)`,
  ...ask(partitions, generations, limit),
  must(
    "count(*) = 0",
    `from barograph_load join ${schema}.bar_loads
      on bar_loads."symbol" = barograph_load."symbol" and bar_loads."session" = barograph_load."session"
    where bar_loads."generation" <> barograph_load."generation"`
  )
]

/**
 * Which part of `bars` can be touched at all: the symbols, each within the windows of its sessions. Said as literals, so
 * that the sort key spares the rest of the table.
 */
const within = (partitions: ReadonlyArray<LoadPartition>): string => {
  const all = inWindow(partitions.map(({ symbol }) => symbol), windowOf(partitions))
  const windows = Map.groupBy(Map.groupBy(partitions, ({ symbol }) => symbol), ([, own]) => windowOf(own))
  if (windows.size === 1 || windows.size > MAX_WINDOWS) return all
  const each = [...windows].map(([window, symbols]) => `(${inWindow(symbols.map(([symbol]) => symbol), window)})`)
  return `${all}\n      and (${each.join(" or ")})`
}

/** So many take 15 KB of a statement. */
const MAX_WINDOWS = 100

const windowOf = (partitions: ReadonlyArray<LoadPartition>): string => {
  const { from, to } = SessionWindow.hull(partitions.map(({ session }) => session))
  return `bars."ts" >= ${instant(from)} and bars."ts" < ${instant(to)}`
}

const inWindow = (symbols: ReadonlyArray<string>, window: string): string =>
  `bars."symbol" in (${[...new Set(symbols)].map(Literal.text).join(",")}) and ${window}`

/** From a session's midnight on. Between sessions that lie far apart are years of rows, which nobody moves. */
const WINDOW = SessionWindow.of("1970-01-01")

/**
 * Everything after the rows are there to be put in: counts what goes, replaces it, and writes the ledger. The first
 * statement's rows are the load's answer.
 *
 * An instant that lies under another session moves here: sessions were drawn anew, and that one is loaded soon. What could
 * be such a row is in the windows of the sessions when their own rows are gone: usually nothing, or a session's edge.
 */
const replace = ({ now, partitions, schema }: Load, put: ReadonlyArray<string>) => [
  `select barograph_load."part", count(bars."ts") from barograph_load left join ${schema}.bars
    on bars."symbol" = barograph_load."symbol" and bars."session" = barograph_load."session" and ${within(partitions)}
    group by barograph_load."part" order by barograph_load."part"`,
  `delete from ${schema}.bars using barograph_load
    where bars."symbol" = barograph_load."symbol" and bars."session" = barograph_load."session"
      and ${within(partitions)}`,
  `create temp table barograph_others as
    select bars."symbol", bars."interval", bars."ts", bars."session" from barograph_load join ${schema}.bars
      on bars."symbol" = barograph_load."symbol" and bars."ts" >= dateadd(ms, ${WINDOW.from}, barograph_load."session")
        and bars."ts" < dateadd(ms, ${WINDOW.to}, barograph_load."session") and ${within(partitions)}`,
  ...put,
  `create temp table barograph_moved as
    select barograph_others."symbol", barograph_others."interval", barograph_others."ts", barograph_others."session"
    from barograph_others join ${schema}.bars
      on bars."symbol" = barograph_others."symbol" and bars."interval" = barograph_others."interval"
        and bars."ts" = barograph_others."ts" and bars."session" <> barograph_others."session" and ${
    within(partitions)
  }`,
  `delete from ${schema}.bars using barograph_moved
    where bars."symbol" = barograph_moved."symbol" and bars."interval" = barograph_moved."interval"
      and bars."ts" = barograph_moved."ts" and bars."session" = barograph_moved."session" and ${within(partitions)}`,
  `delete from ${schema}.bar_loads using barograph_load
    where bar_loads."symbol" = barograph_load."symbol" and bar_loads."session" = barograph_load."session"`,
  `insert into ${schema}.bar_loads ("symbol", "session", "interval", "source", "rows", "content_hash", "loaded_at",
      "generation")
    select "symbol", "session", "interval", "source", "rows", "content_hash", ${instant(now)}, "generation" + 1
    from barograph_load`
]

/** Puts in what `barograph_rows` has. */
const insert = ({ now, schema }: Load): string =>
  `insert into ${schema}.bars (${COLUMNS})
    select barograph_load."source", barograph_load."symbol", barograph_load."interval",
      dateadd(ms, barograph_rows."ms", barograph_load."session") as "ts", barograph_rows."open", barograph_rows."high",
      barograph_rows."low", barograph_rows."close", barograph_rows."volume", barograph_load."session", ${instant(now)}
    from barograph_load join barograph_rows on barograph_rows."part" = barograph_load."part"
    order by barograph_load."symbol", "ts"`

const instant = (epochMillis: number): string => `cast(${Literal.text(Literal.timestamp(epochMillis))} as timestamp)`

/** How many statements the names of the partitions fill. */
export const nameStatements = ({ generations, limit, partitions }: Load): number =>
  ask(partitions, generations, limit).length

/** Sets the rows of one try apart from all others, in the stage table or in the bucket. */
export const loadId = (
  { now, partitions, schema }: Pick<Load, "now" | "partitions" | "schema">,
  drawn: number
): string =>
  Crypto.createHash("sha256")
    .update(JSON.stringify([schema, now, drawn, partitions.map((one) => [one.symbol, one.session, one.contentHash])]))
    .digest("hex").slice(0, 32)

export interface Batch {
  readonly statements: ReadonlyArray<string>
  /** Which of them, from 1, answers one row per partition: its position, and how many rows it had. */
  readonly answer: number
}

export interface Load {
  readonly schema: string
  readonly partitions: ReadonlyArray<LoadPartition>
  readonly generations: Generations
  readonly limit: number
  /** Epoch milliseconds: `loaded_at`. */
  readonly now: number
}

const batch = (before: ReadonlyArray<string>, load: Load, put: ReadonlyArray<string>): Batch => ({
  statements: [...before, ...replace(load, put)],
  answer: before.length + 1
})

/** The whole load as one transaction. */
export const oneTransaction = (load: Load, rows: ReadonlyArray<string>): Batch =>
  batch([...open(load), `create temp table barograph_rows (${ROW_COLUMNS})`, ...rows], load, [insert(load)])

/** The whole load as one transaction whose rows are copied from what the manifest names: they are written once. */
export const copied = (load: Load, source: CopySource, manifest: string, region: string | undefined): Batch =>
  batch(open(load), load, [
    `copy ${load.schema}.bars (${COLUMNS}) from ${Literal.text(manifest)} iam_role ${role(source)}${
      elsewhere(source, region)
    }
      manifest csv zstd compupdate off statupdate off`,
    must(`pg_last_copy_count() = ${Literal.integer(rowsOf(load.partitions))}`)
  ])

const role = ({ iamRole }: CopySource): string => iamRole === "default" ? "default" : Literal.text(iamRole)

/** Redshift takes the bucket to be in its own region. */
const elsewhere = ({ bucket }: CopySource, region: string | undefined): string =>
  bucket.region === undefined || bucket.region === region ? "" : ` region ${Literal.text(bucket.region)}`

/** The last of several: takes the rows that the others staged under `id`, all of them or none. */
export const swap = (load: Load, id: string): Batch => {
  const { now, partitions, schema } = load
  const { answer, statements } = batch(
    [
      ...open(load),
      `create temp table barograph_rows (${ROW_COLUMNS})`,
      `insert into barograph_rows select "part", "ms", "open", "high", "low", "close", "volume"
      from ${schema}.bar_stage where "load_id" = ${Literal.text(id)}`,
      must(`count(*) = ${Literal.integer(rowsOf(partitions))}`, "from barograph_rows")
    ],
    load,
    [insert(load)]
  )
  // What killed processes left is taken away a day later by whoever comes by.
  const clean = `delete from ${schema}.bar_stage
    where "load_id" = ${Literal.text(id)} or "staged_at" < dateadd(day, -1, ${instant(now)})`
  return { statements: [...statements, clean], answer }
}

/** The ledger's generation of the sessions in question, and of some between them. */
export const generations = (schema: string, partitions: ReadonlyArray<LoadPartition>): string => {
  const symbols = new Set(partitions.map(({ symbol }) => Literal.text(symbol)))
  const sessions = partitions.map(({ session }) => session).sort()
  return `select "symbol", cast("session" as varchar(10)), "generation" from ${schema}.bar_loads
    where "symbol" in (${[...symbols].join(",")})
      and "session" between ${Literal.text(sessions[0]!)} and ${Literal.text(sessions.at(-1)!)}`
}
