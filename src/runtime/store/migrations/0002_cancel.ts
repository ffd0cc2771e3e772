import * as Migrate from "../Migrate.ts"

/** A run can be asked to stop by another process. */
export default Migrate.statements(
  `alter table barograph.runs add column cancel_requested_at timestamptz`,
  `alter table barograph.runs drop constraint runs_status_check`,
  `alter table barograph.runs add constraint runs_status_check
    check (status in ('running', 'succeeded', 'failed', 'interrupted', 'canceled'))`
)
