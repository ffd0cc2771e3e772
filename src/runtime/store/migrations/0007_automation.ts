import * as Migrate from "../Migrate.ts"

/** Runs that are asked for and wait for a daemon; who leads; what automations remember, and their ticks. */
export default Migrate.statements(
  `alter table barograph.runs
    add column run_key text,
    add column attempt integer not null default 1,
    add column attempts integer not null default 1,
    add column requested_at timestamptz,
    add column not_before timestamptz,
    add column term bigint,
    add column fenced boolean not null default false`,
  `alter table barograph.runs drop constraint runs_status_check`,
  `alter table barograph.runs add constraint runs_status_check
    check (status in ('requested', 'queued', 'running', 'succeeded', 'failed', 'interrupted', 'canceled'))`,
  `create unique index runs_by_key on barograph.runs (run_key, attempt) where run_key is not null`,
  `create index runs_requested on barograph.runs (priority desc, started_at) where status = 'requested'`,
  `create index runs_interrupted on barograph.runs (run_id) where status = 'interrupted' and run_key is not null`,
  `create table barograph.leader (
    the_one boolean primary key default true check (the_one),
    term bigint not null,
    holder text not null,
    since timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create table barograph.automations (
    name text primary key,
    paused boolean,
    cursor jsonb,
    ticked_at timestamptz,
    failures integer not null default 0
  )`,
  `create table barograph.ticks (
    tick_id bigint generated always as identity primary key,
    name text not null,
    due timestamptz not null,
    at timestamptz not null,
    outcome text not null check (outcome in ('requested', 'skipped', 'missed', 'failed')),
    why text,
    runs jsonb not null,
    count integer not null default 1
  )`,
  `create index ticks_by_name on barograph.ticks (name, tick_id desc)`,
  `create index ticks_by_time on barograph.ticks (at)`,
  `create index events_by_time on barograph.events (at)`,
  `comment on column barograph.runs.run_key is 'What asked for the run: one key, one run. A run that was cut off is taken up by another attempt.'`,
  `comment on column barograph.runs.term is 'Of the leader that runs it; null for a run of a command.'`,
  `comment on column barograph.runs.fenced is 'Somebody else marked the run: its process may write nothing more.'`,
  `comment on table barograph.leader is 'The daemon that leads, until the lease expires. Terms only grow.'`,
  `comment on table barograph.automations is 'What schedules, sensors, conditions and freshness policies remember, by kind and name.'`,
  `comment on table barograph.ticks is 'What became of each evaluation, and why it did nothing. Equal ones in a row are one row.'`
)
