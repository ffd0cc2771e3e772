import * as Migrate from "../Migrate.ts"

/**
 * The state of partitions as lines of runs instead of a row each. What was known becomes suspect runs of one value: the
 * history of materializations, which stays as it is, judges them until they are materialized or verified again.
 */
export default Migrate.statements(
  `create sequence barograph.numbers`,
  `alter table barograph.runs add column number bigint not null default 0, add column ended bigint`,
  `create index runs_by_number on barograph.runs (number)`,
  `create table barograph.partition_lines (
    asset text not null,
    line text not null,
    state jsonb not null,
    updated_at timestamptz not null,
    primary key (asset, line)
  )`,
  `create table barograph.failures (
    asset text not null,
    partition text not null,
    run_id text not null,
    error text not null,
    primary key (asset, partition)
  )`,
  `insert into barograph.failures (asset, partition, run_id, error)
    select asset, partition, coalesce(failed_run_id, ''), failure from barograph.partitions where failure is not null`,
  `insert into barograph.partition_lines (asset, line, state, updated_at)
    select asset, regexp_replace(partition, ',?[^,=]*=[^,]*$', ''),
      jsonb_build_object('labels', '[]'::jsonb, 'runs', jsonb_agg(jsonb_build_array(value, value, 1, 0, -1))), now()
    from (select asset, partition, regexp_replace(partition, '^.*=', '') as value from barograph.partitions) as old
    group by 1, 2`,
  `drop table barograph.partitions`,
  `comment on table barograph.partition_lines is 'How the partitions of an asset stand: a row per line of partitions that differ in their last dimension, runs of values that stand alike.'`,
  `comment on table barograph.failures is 'Partitions whose latest try failed.'`
)
