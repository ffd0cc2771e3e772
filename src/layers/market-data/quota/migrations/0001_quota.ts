import * as Migrate from "../../../../runtime/store/Migrate.ts"

/** A row per vendor account; what is in `ledger` says `Ledger.ts`. */
export default Migrate.statements(
  `create table quota.accounts (
    account text primary key,
    ledger jsonb not null
  )`,
  `comment on table quota.accounts is 'What was called of each vendor account. account names vendor and a digest of the key.'`
)
