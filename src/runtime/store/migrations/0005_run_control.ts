import * as Migrate from "../Migrate.ts"

/** Runs wait for their turn, carry tags, and are listed page by page. */
export default Migrate.statements(
  `alter table barograph.runs
    add column tags jsonb not null default '{}',
    add column priority integer not null default 0,
    add column why text`,
  `alter table barograph.runs drop constraint runs_status_check`,
  `alter table barograph.runs add constraint runs_status_check
    check (status in ('queued', 'running', 'succeeded', 'failed', 'interrupted', 'canceled'))`,
  `drop index barograph.runs_by_time`,
  `create index runs_by_time on barograph.runs (started_at, run_id)`,
  `drop index barograph.runs_running`,
  `create index runs_going_on on barograph.runs (status) where status in ('queued', 'running')`,
  `create index runs_by_tag on barograph.runs using gin (tags jsonb_path_ops)`
)
