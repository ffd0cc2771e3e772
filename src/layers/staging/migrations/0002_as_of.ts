import * as Migrate from "../../../runtime/store/Migrate.ts"

const columns = "source, symbol, interval, ts, open, high, low, close, volume, session, staged_at"
const known = "current_setting('barograph.as_of')::timestamptz"

/**
 * The bars as they were known at a time: `set barograph.as_of = '…'`, then read `staging_as_of.bars`. A row was known from
 * `staged_at` on, until a payload replaced or removed it.
 */
export default Migrate.statements(
  `create schema staging_as_of`,
  `create view staging_as_of.bars as
    select ${columns} from staging.bars where staged_at <= ${known}
    union all
    select ${columns} from staging.bar_history where staged_at <= ${known} and replaced_at > ${known}`,
  `comment on view staging_as_of.bars is 'staging.bars as known at the setting barograph.as_of.'`
)
