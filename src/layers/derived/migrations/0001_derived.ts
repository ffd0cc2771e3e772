import * as Migrate from "../../../runtime/store/Migrate.ts"

/** Daily bars, and how complete sessions are. */
export default Migrate.statements(
  `create table derived.session_bars (
    symbol text not null,
    session date not null,
    open double precision not null,
    high double precision not null,
    low double precision not null,
    close double precision not null,
    volume double precision not null,
    vwap double precision,
    bars integer not null,
    extended_volume double precision not null,
    primary key (symbol, session)
  )`,
  `create table derived.coverage (
    symbol text not null,
    session date not null,
    interval text not null,
    expected integer not null,
    present integer not null,
    gaps integer not null,
    longest_gap integer not null,
    longest_from timestamptz,
    primary key (symbol, session)
  )`,
  `comment on table derived.session_bars is 'A session''s regular hours as one bar, not adjusted. vwap weighs (high + low + close) / 3 of its bars by volume.'`,
  `comment on table derived.coverage is 'Bars expected and present in a session''s regular hours. longest_gap is in bars.'`
)
