import * as Migrate from "../../../runtime/store/Migrate.ts"

/** Bars, and the ledger that says what was loaded for each partition. */
export default Migrate.statements(
  `create table warehouse.bars (
    source text not null,
    symbol text not null,
    interval text not null,
    ts timestamptz not null,
    open double precision not null,
    high double precision not null,
    low double precision not null,
    close double precision not null,
    volume double precision not null,
    session date not null,
    loaded_at timestamptz not null,
    primary key (symbol, interval, ts)
  )`,
  `create index bars_by_session on warehouse.bars (symbol, session)`,
  `create table warehouse.bar_loads (
    symbol text not null,
    session date not null,
    interval text not null,
    source text not null,
    rows integer not null,
    content_hash text not null,
    loaded_at timestamptz not null,
    primary key (symbol, session)
  )`,
  `comment on table warehouse.bars is 'Bars as analysts read them. Loaded by replacing whole sessions of a symbol.'`,
  `comment on table warehouse.bar_loads is 'The latest load of each session of a symbol; written with its rows, in one transaction.'`
)
