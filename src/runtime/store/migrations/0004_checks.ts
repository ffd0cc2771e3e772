import * as Migrate from "../Migrate.ts"

/**
 * Results of checks, and the way to an asset's history, newest first: the asset leads the primary key. The index by id
 * alone and the one by run go: nothing reads them, so an insert has one index less to keep, and none is left by which
 * PostgreSQL could look for one asset's rows among everybody's newest.
 */
export default Migrate.statements(
  `create table barograph.check_results (
    asset text not null,
    check_name text not null,
    partition text not null,
    passed boolean not null,
    severity text not null check (severity in ('error', 'warn')),
    description text,
    metadata jsonb not null,
    checked_at timestamptz not null,
    run_id text,
    primary key (asset, check_name, partition)
  )`,
  `create index check_results_not_passed on barograph.check_results (asset, check_name, partition) where not passed`,
  `alter table barograph.materializations add column rejected text`,
  `alter table barograph.materializations drop constraint materializations_pkey`,
  `alter table barograph.materializations add primary key (asset, materialization_id)`,
  `drop index barograph.materializations_by_run`,
  `comment on table barograph.check_results is 'The latest result of each check on each partition; those before are in the events.'`,
  `comment on column barograph.check_results.run_id is 'The run that asked; null when a command did.'`,
  `comment on column barograph.materializations.rejected is 'The blocking check that was not passed, and why.'`
)
