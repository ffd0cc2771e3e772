import * as Migrate from "../Migrate.ts"

/** Whose slices they are, from the claim on: a slice that is being planned has no run yet. */
export default Migrate.statements(
  `alter table barograph.backfill_slices add column term bigint`,
  `comment on column barograph.backfill_slices.term is 'Of the leader that claimed it last; null for a worker of a command.'`
)
