/**
 * The tables in Redshift, as numbered migrations: never changed once published, new ones are added at the end.
 *
 * Rows of a symbol lie together and in order of time, because analysts join and filter by both. Keys are told to the
 * optimizer and enforced by nobody; they hold because partitions are replaced. `ts` is UTC. The database's isolation
 * level is the user's: loads are right under SERIALIZABLE and under SNAPSHOT.
 */

export interface Migration {
  readonly id: number
  readonly name: string
  /** Each can be run again: a process may die between the tables and the row that says they are there. */
  readonly statements: ReadonlyArray<string>
}

export const migrations = (schema: string): ReadonlyArray<Migration> => [
  {
    id: 1,
    name: "warehouse",
    statements: [
      `create table if not exists ${schema}.bars (
        "source" varchar(64) not null encode bytedict,
        "symbol" varchar(64) not null encode raw,
        "interval" varchar(16) not null encode bytedict,
        "ts" timestamp not null encode raw,
        "open" double precision not null encode zstd,
        "high" double precision not null encode zstd,
        "low" double precision not null encode zstd,
        "close" double precision not null encode zstd,
        "volume" double precision not null encode zstd,
        "session" date not null encode az64,
        "loaded_at" timestamp not null encode az64,
        primary key ("symbol", "interval", "ts")
      ) diststyle key distkey ("symbol") compound sortkey ("symbol", "ts")`,
      `create table if not exists ${schema}.bar_loads (
        "symbol" varchar(64) not null,
        "session" date not null,
        "interval" varchar(16) not null,
        "source" varchar(64) not null,
        "rows" integer not null,
        "content_hash" varchar(64) not null,
        "loaded_at" timestamp not null,
        "generation" bigint not null,
        primary key ("symbol", "session")
      ) diststyle key distkey ("symbol") compound sortkey ("symbol", "session")`,
      `create table if not exists ${schema}.bar_stage (
        "load_id" varchar(64) not null,
        "part" integer not null,
        "ms" integer not null,
        "open" double precision not null,
        "high" double precision not null,
        "low" double precision not null,
        "close" double precision not null,
        "volume" double precision not null,
        "staged_at" timestamp not null default sysdate
      ) diststyle even sortkey ("load_id")`,
      `comment on table ${schema}.bars is
        'Bars as analysts read them. ts is UTC, the start of the window. Loaded by replacing whole sessions of a symbol.'`,
      `comment on table ${schema}.bar_loads is
        'The latest load of each session of a symbol; written with its rows, in one transaction.'`,
      `comment on table ${schema}.bar_stage is 'Rows on their way to bars. Emptied by the load that filled it.'`
    ]
  }
]

/** What must be there before the first migration. */
export const foundation = (schema: string): ReadonlyArray<string> => [
  `create schema if not exists ${schema}`,
  `create table if not exists ${schema}.barograph_migrations ("id" integer not null, "name" varchar(64) not null,
    "applied_at" timestamp not null default sysdate)`
]

export const applied = (schema: string): string => `select "id" from ${schema}.barograph_migrations order by "id"`

/** One migration as one transaction; whoever comes second waits for the lock and finds it done. */
export const apply = (schema: string, { id, name, statements }: Migration): ReadonlyArray<string> => [
  `lock ${schema}.barograph_migrations`,
  ...statements,
  `insert into ${schema}.barograph_migrations ("id", "name")
    select ${id}, '${name}' where not exists (select 1 from ${schema}.barograph_migrations where "id" = ${id})`
]
