import * as Migrate from "../Migrate.ts"

/** What conditions remember, what came of their evaluations, and a way to the runs that ended since a number. */
export default Migrate.statements(
  `create table barograph.condition_states (
    asset text primary key,
    state jsonb not null
  )`,
  `create table barograph.condition_records (
    record_id bigint generated always as identity,
    asset text not null,
    at timestamptz not null,
    condition text not null,
    count integer not null,
    partitions text not null,
    run_id text,
    answer jsonb not null,
    primary key (asset, record_id)
  )`,
  `create index runs_by_end on barograph.runs (ended) where ended is not null`,
  `comment on table barograph.condition_states is 'What the condition of an asset remembers of its latest evaluation.'`,
  `comment on table barograph.condition_records is 'Evaluations that asked for something or came out different; the newest of each asset.'`
)
