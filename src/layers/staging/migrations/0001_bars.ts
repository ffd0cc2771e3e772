/** The staging area's three tables. Immutable once released: a change is a new file with the next number. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

/**
 * The key finds bars by time, `bars_session` by session (equal entries share one index tuple, so it stays small).
 * No key on `source`: a symbol's bar at an instant has one truth, whoever told it last.
 */
const bars = [
  `create table staging.bars (
    source text not null,
    symbol text not null,
    interval text not null,
    ts timestamptz not null,
    open double precision not null,
    high double precision not null,
    low double precision not null,
    close double precision not null,
    volume bigint not null,
    session date not null,
    staged_at timestamptz not null default now(),
    primary key (symbol, interval, ts)
  )`,
  `create index bars_session on staging.bars (symbol, session)`,
  `comment on table staging.bars is
    'Validated bars, one row per symbol, interval and instant. Written by the asset staged_bars.'`,
  `comment on column staging.bars.source is 'The vendor whose payload last changed the row'`,
  `comment on column staging.bars.ts is 'Start of the bar''s window'`,
  `comment on column staging.bars.session is 'Trading session: the date at the exchange'`,
  `comment on column staging.bars.staged_at is 'When the row got its present values'`
]

const quarantinedRows = [
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
    digest text not null,
    quarantined_at timestamptz not null default now(),
    unique (symbol, interval, digest)
  )`,
  `create index quarantined_rows_session on staging.quarantined_rows (symbol, session)`,
  `comment on table staging.quarantined_rows is
    'Rows of the newest payload that a decoder or a rule refused. A row that the vendor corrects disappears.'`,
  `comment on column staging.quarantined_rows.month is 'Month of the payload, YYYY-MM'`,
  `comment on column staging.quarantined_rows.session is 'Null where the row''s session could not be told'`,
  `comment on column staging.quarantined_rows.raw is
    'The row as the vendor sent it; NUL is shown as U+2400, and very long texts are cut'`,
  `comment on column staging.quarantined_rows.payload is 'Object key of the payload it was first seen in'`,
  `comment on column staging.quarantined_rows.digest is 'Identity of the refused row: the same row is kept, not renewed'`
]

const barHistory = [
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
    volume bigint not null,
    session date not null,
    change text not null check (change in ('restated', 'removed')),
    staged_at timestamptz not null,
    replaced_at timestamptz not null default now(),
    payload text not null
  )`,
  `create index bar_history_bar on staging.bar_history (symbol, interval, ts)`,
  `comment on table staging.bar_history is
    'Values that staging.bars held once. Valid from staged_at until replaced_at.'`,
  `comment on column staging.bar_history.change is 'restated: the vendor sent other values; removed: no longer sent'`,
  `comment on column staging.bar_history.payload is 'Object key of the payload that replaced the row'`
]

export default Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  for (const statement of [...bars, ...quarantinedRows, ...barHistory]) yield* sql.unsafe(statement)
})
