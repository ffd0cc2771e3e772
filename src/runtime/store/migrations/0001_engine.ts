import * as Migrate from "../Migrate.ts"

/** Runs, their events, materializations, the state of partitions, and dynamic partition sets. */
export default Migrate.statements(
  `create table barograph.runs (
    run_id text primary key,
    status text not null check (status in ('running', 'succeeded', 'failed', 'interrupted')),
    request jsonb not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    totals jsonb
  )`,
  `create index runs_by_time on barograph.runs (started_at desc, run_id)`,
  `create index runs_running on barograph.runs (run_id) where status = 'running'`,
  `create table barograph.events (
    event_id bigint generated always as identity primary key,
    run_id text not null references barograph.runs on delete cascade,
    at timestamptz not null,
    type text not null,
    asset text,
    partition text,
    data jsonb not null
  )`,
  `create index events_by_run on barograph.events (run_id, event_id)`,
  `create table barograph.materializations (
    materialization_id bigint generated always as identity primary key,
    asset text not null,
    partition text not null,
    run_id text not null,
    code_version text not null,
    data_version text not null,
    inputs jsonb not null,
    output jsonb,
    materialized_at timestamptz not null,
    seconds double precision not null
  )`,
  `create index materializations_by_partition on barograph.materializations (asset, partition, materialization_id desc)`,
  `create index materializations_by_run on barograph.materializations (run_id)`,
  `create table barograph.partitions (
    asset text not null,
    partition text not null,
    materialization_id bigint references barograph.materializations,
    failed_run_id text,
    failure text,
    primary key (asset, partition)
  )`,
  `create table barograph.dynamic_partitions (
    set_name text not null,
    position integer not null,
    value text not null,
    lives_from text,
    lives_to text,
    primary key (set_name, value)
  )`,
  `comment on table barograph.runs is 'One row per run. A row that says running belongs to a process that is alive, or is corrected by the next run.'`,
  `comment on table barograph.events is 'Every transition of a run, written before it is shown.'`,
  `comment on table barograph.materializations is 'Every success of an asset partition: what it recorded and the versions of what it read.'`,
  `comment on table barograph.partitions is 'The latest success of each partition, and the failure since, if any.'`
)
