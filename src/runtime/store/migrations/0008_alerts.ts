import * as Migrate from "../Migrate.ts"

/** Incidents, and what each channel was told of them. */
export default Migrate.statements(
  `create table barograph.alert_incidents (
    incident text primary key,
    kind text not null,
    status text not null check (status in ('open', 'resolved', 'event')),
    severity text not null check (severity in ('info', 'warn', 'error')),
    title text not null,
    lines jsonb not null,
    command text not null,
    episode integer not null,
    count integer not null,
    patience integer not null,
    opened_at timestamptz not null,
    changed_at timestamptz not null,
    latest_at timestamptz not null,
    latest_key text not null
  )`,
  `create index alert_incidents_open on barograph.alert_incidents (opened_at) where status = 'open'`,
  `create index alert_incidents_by_time on barograph.alert_incidents (latest_at)`,
  `create table barograph.alert_channels (
    channel text primary key,
    since timestamptz not null,
    delivered_at timestamptz,
    failures integer not null default 0,
    error text,
    next_at timestamptz
  )`,
  `create table barograph.alert_deliveries (
    incident text not null references barograph.alert_incidents on delete cascade,
    channel text not null,
    episode integer not null,
    status text not null,
    severity text not null,
    count integer not null,
    told_at timestamptz not null,
    thread text,
    refused text,
    primary key (incident, channel)
  )`,
  `comment on table barograph.alert_incidents is 'What needs or needed a person: one row for each trouble, however often it happens.'`,
  `comment on table barograph.alert_channels is 'Where alerts go, since when, and why nothing gets through at the moment.'`,
  `comment on table barograph.alert_deliveries is 'What a channel was last told of an incident. What differs from the incident is still to be told.'`
)
