import * as Migrate from "../../../runtime/store/Migrate.ts"

/**
 * One index that finds a session by its symbol and time, instead of a key that does not and an index by session beside it:
 * half the work of an insert. Rows outside of their session's window, which nobody would find any more, become history.
 */
export default Migrate.statements(
  `with stray as (
    delete from staging.bars where ts < session::timestamp at time zone 'UTC' - interval '1 day'
      or ts >= session::timestamp at time zone 'UTC' + interval '2 days'
    returning *
  ) insert into staging.bar_history (source, symbol, interval, ts, open, high, low, close, volume, session, staged_at,
      replaced_at, change, payload)
    select source, symbol, interval, ts, open, high, low, close, volume, session, staged_at, now(), 'removed', 'none'
    from stray`,
  `drop index if exists staging.bars_by_session`,
  `alter table staging.bars drop constraint bars_pkey, add primary key (symbol, ts, interval)`
)
