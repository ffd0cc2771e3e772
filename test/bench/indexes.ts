/**
 * `npm run bench:indexes`: the table of staged bars with its one B-tree, with two of which one is by session, with a BRIN on
 * `ts` instead of that, and partitioned by month, on one server with the same million bars: what inserting,
 * upserting, reading and deleting takes, and how much it occupies. Layouts take turns; trust the ratios.
 */
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import Pg from "pg"
import * as Database from "../../src/layers/database/Database.ts"
import * as RedshiftStandIn from "../support/RedshiftStandIn.ts"
import { table } from "./Measured.ts"

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3)
const SYMBOLS = Number(process.env["BENCH_SYMBOLS"] ?? 20)
/** Minute bars of a day and a night, two months and a half: as many as `bench:load` has. */
const SESSIONS = 52
const BARS = 960

const COLUMNS = `source text not null, symbol text not null, interval text not null, ts timestamptz not null,
  open double precision not null, high double precision not null, low double precision not null,
  close double precision not null, volume double precision not null, session date not null,
  staged_at timestamptz not null`
const KEY = "primary key (symbol, interval, ts)"

const months = ["2024-01", "2024-02", "2024-03"]

interface Layout {
  readonly name: string
  readonly ddl: (table: string) => ReadonlyArray<string>
  /** How a session is found. */
  readonly session: string
}

const bySession = "session = $2::date"
/** The index on time knows nothing of sessions; a day on either side holds whatever is one. */
const byTime = `session = $2::date and ts >= $2::date::timestamptz - interval '1 day'
  and ts < $2::date::timestamptz + interval '2 days'`

const layouts: ReadonlyArray<Layout> = [
  {
    name: "one B-tree: (symbol, ts, interval), as it is",
    ddl: (table) => [`create table ${table} (${COLUMNS}, primary key (symbol, ts, interval))`],
    session: byTime
  },
  {
    name: "two B-trees: (symbol, interval, ts), (symbol, session)",
    ddl: (table) => [`create table ${table} (${COLUMNS}, ${KEY})`, `create index on ${table} (symbol, session)`],
    session: bySession
  },
  {
    name: "B-tree of the key, BRIN on ts",
    ddl: (table) => [
      `create table ${table} (${COLUMNS}, ${KEY})`,
      `create index on ${table} using brin (ts) with (pages_per_range = 16, autosummarize = on)`
    ],
    session: byTime
  },
  {
    name: "by month, two B-trees each",
    ddl: (table) => [
      `create table ${table} (${COLUMNS}, ${KEY}) partition by range (ts)`,
      `create index on ${table} (symbol, session)`,
      ...months.map((month, at) =>
        `create table ${table}_${at} partition of ${table}
          for values from ('${month}-01') to ('${months[at + 1] ?? "2024-04"}-01')`
      )
    ],
    session: byTime
  }
]

const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-bench-"))
const runtime = ManagedRuntime.make(Database.layer({ home, url: undefined }))
const client = new Pg.Client({ ...await runtime.runPromise(RedshiftStandIn.connection) })
await client.connect()

const operations = ["insert", "upsert, all unchanged", "read a session", "delete and insert a session"] as const
type Operation = typeof operations[number]
const SESSIONS_TOUCHED = 100

const walls = new Map<string, number>()

const timed = async (layout: Layout, operation: Operation, run: () => Promise<void>): Promise<void> => {
  await client.query("checkpoint")
  const startedAt = performance.now()
  await run()
  const key = `${layout.name}/${operation}`
  walls.set(key, Math.min(walls.get(key) ?? Infinity, performance.now() - startedAt))
}

/** A request of the pipeline is a month of a symbol. */
const requests = Array.from({ length: SYMBOLS }, (_, at) => `SYM${String(at).padStart(2, "0")}`).flatMap((symbol) =>
  months.map((month) => [symbol, month] as const)
)

const INSERT = (name: string, rest: string) =>
  `insert into ${name} select * from source where symbol = $1 and session >= ($2 || '-01')::date
    and session < ($2 || '-01')::date + interval '1 month' order by ts ${rest}`

const UNCHANGED = `on conflict (symbol, interval, ts) do update set close = excluded.close
  where (bars.open, bars.high, bars.low, bars.close, bars.volume) is distinct from
    (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)`

const each = async (statement: string): Promise<void> => {
  for (const request of requests) await client.query(statement, [...request])
}

/** The same sessions for every layout, far from one another. */
const touched = Array.from(
  { length: SESSIONS_TOUCHED },
  (_, at) => [`SYM${String(at % SYMBOLS).padStart(2, "0")}`, (at * 7) % SESSIONS] as const
)

const dates = async (): Promise<ReadonlyArray<string>> =>
  (await client.query("select distinct session::text from source order by 1")).rows.map(({ session }) => session)

const inSessions = async (days: ReadonlyArray<string>, statements: ReadonlyArray<string>): Promise<void> => {
  for (const [symbol, at] of touched) {
    for (const statement of statements) await client.query(statement, [symbol, days[at]])
  }
}

const prepare = async (): Promise<void> => {
  await client.query(`create table source as
    select 'bench'::text as source, 'SYM' || lpad(symbol::text, 2, '0') as symbol, '1min'::text as interval,
      day + interval '9 hours' + minute * interval '1 minute' as ts, 100 + random() as open, 102 + random() as high,
      99 - random() as low, 100 + random() as close, floor(random() * 10000) as volume, day::date as session,
      now() as staged_at
    from generate_series(0, ${SYMBOLS - 1}) as symbol,
      (select day from generate_series('2024-01-02'::timestamptz, '2024-03-31', '1 day') as day
        where extract(isodow from day) < 6 order by day limit ${SESSIONS}) as days,
      generate_series(0, ${BARS - 1}) as minute
    order by symbol, ts`)
  await client.query("create index on source (symbol, session)")
  await client.query("vacuum analyze source")
}

const READ = "select session, ts, open, high, low, close, volume"

const round = async (layout: Layout, days: ReadonlyArray<string>): Promise<number> => {
  await client.query("drop table if exists bars")
  for (const statement of layout.ddl("bars")) await client.query(statement)
  await timed(layout, "insert", () => each(INSERT("bars", "")))
  const [{ size }] = (await client.query(`select sum(pg_total_relation_size(oid))::float8 as size
    from pg_class where relname ~ '^bars(_[0-9]+)?$' and relkind = 'r'`)).rows
  await client.query("vacuum analyze bars")
  await timed(layout, "upsert, all unchanged", () => each(INSERT("bars", UNCHANGED)))
  const where = `symbol = $1 and ${layout.session}`
  await timed(layout, "read a session", () => inSessions(days, [`${READ} from bars where ${where} order by ts`]))
  await timed(layout, "delete and insert a session", () =>
    inSessions(days, [
      `delete from bars where ${where}`,
      `insert into bars select * from source where symbol = $1 and session = $2::date order by ts`
    ]))
  const [{ rows }] = (await client.query("select count(*)::int as rows from bars")).rows
  if (rows !== SYMBOLS * SESSIONS * BARS) throw new Error(`${layout.name}: ${rows} rows`)
  return size
}

try {
  await prepare()
  const days = await dates()
  const sizes = new Map<string, number>()
  for (let at = 0; at < ROUNDS; at++) {
    for (const layout of layouts) sizes.set(layout.name, await round(layout, days))
  }
  const yardstick = layouts[0]!.name
  const cell = (name: string, operation: Operation) => {
    const took = walls.get(`${name}/${operation}`)!
    return `${took.toFixed(0)} (${(took / walls.get(`${yardstick}/${operation}`)!).toFixed(2)})`
  }
  table(
    `${SYMBOLS * SESSIONS * BARS} bars, ${SESSIONS_TOUCHED} sessions touched: ms (x as it is)`,
    ["layout", ...operations, "MB"],
    layouts.map(({ name }) => [
      name,
      ...operations.map((operation) => cell(name, operation)),
      (sizes.get(name)! / 1e6).toFixed(0)
    ])
  )
} finally {
  await client.end()
  await runtime.dispose()
  Fs.rmSync(home, { recursive: true, force: true })
}
