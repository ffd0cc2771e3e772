import * as Migrate from "../../../runtime/store/Migrate.ts"

/** Bars, the rows that were refused, and the history of restated and removed ones. */
export default Migrate.statements(
  `create table staging.bars (
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
    staged_at timestamptz not null,
    primary key (symbol, interval, ts)
  )`,
  `create index bars_by_session on staging.bars (symbol, session)`,
  `create table staging.quarantined_rows (
    id bigint generated always as identity primary key,
    source text not null,
    symbol text not null,
    interval text not null,
    month text not null,
    session date,
    ts timestamptz,
    reason text not null,
    raw text not null,
    payload text not null,
    quarantined_at timestamptz not null
  )`,
  `create index quarantined_rows_by_session on staging.quarantined_rows (symbol, session)`,
  `create table staging.bar_history (
    id bigint generated always as identity primary key,
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
    staged_at timestamptz not null,
    replaced_at timestamptz not null,
    change text not null check (change in ('restated', 'removed')),
    payload text not null
  )`,
  `create index bar_history_by_session on staging.bar_history (symbol, session, ts)`,
  `comment on table staging.bars is 'Validated, deduplicated bars. ts is the start of the window; prices in the listing''s currency, volume in shares.'`,
  `comment on table staging.quarantined_rows is 'Rows that were refused, with the reason. session is null where the row belongs to none.'`,
  `comment on table staging.bar_history is 'Bars as they were before a payload restated or removed them. payload is the one that did.'`
)
