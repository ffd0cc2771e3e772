import * as Migrate from "../../../runtime/store/Migrate.ts"

/**
 * One index that finds a session by its symbol and time, instead of a key that does not and an index by session beside it:
 * half the work of an insert.
 */
export default Migrate.statements(
  `drop index staging.bars_by_session`,
  `alter table staging.bars drop constraint bars_pkey, add primary key (symbol, ts, interval)`
)
