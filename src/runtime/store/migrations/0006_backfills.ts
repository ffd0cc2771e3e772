import * as Migrate from "../Migrate.ts"

/** Backfills and the slices that they are worked in. */
export default Migrate.statements(
  `create table barograph.backfills (
    backfill_id text primary key,
    status text not null check (status in ('requested', 'running', 'succeeded', 'failed', 'canceled')),
    request jsonb not null,
    created_at timestamptz not null,
    ended_at timestamptz
  )`,
  `create index backfills_by_time on barograph.backfills (created_at desc, backfill_id)`,
  `create table barograph.backfill_slices (
    backfill_id text not null references barograph.backfills on delete cascade,
    position integer not null,
    stage integer not null,
    asset text not null,
    partitions text not null,
    count integer not null,
    status text not null check (status in ('pending', 'running', 'done', 'failed')),
    done integer not null,
    worker text,
    run_id text,
    failures jsonb not null,
    primary key (backfill_id, position)
  )`,
  `create index backfill_slices_open on barograph.backfill_slices (backfill_id, stage, position)
    where status in ('pending', 'running')`,
  `comment on table barograph.backfills is 'Stored requests over sets of partitions, worked slice by slice by any number of processes.'`,
  `comment on table barograph.backfill_slices is 'Pieces of a backfill. A running one belongs to a worker that holds its lock, or is pending again.'`
)
