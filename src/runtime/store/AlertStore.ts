/** Incidents, and what each channel was told of them: what it was not told yet is the difference. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Alert from "../automation/Alert.ts"
import * as Incident from "../automation/Incident.ts"
import type { Pending } from "../automation/Outbox.ts"
import * as AlertMemory from "./AlertMemory.ts"
import { during, type StoreError } from "./StoreError.ts"
import * as Transaction from "./Transaction.ts"

/** Where alerts go, and how that works. Times are epoch milliseconds. */
export interface ChannelState {
  readonly channel: string
  /** What was over by then is not told. */
  readonly since: number
  readonly deliveredAt: number | undefined
  /** Attempts in a row that failed. */
  readonly failures: number
  /** Why the last one did. */
  readonly error: string | undefined
  /** When the next one is made. */
  readonly nextAt: number | undefined
}

/** An attempt that failed. */
export type Trouble = Pick<ChannelState, "failures" | "error" | "nextAt">

export interface Delivery {
  readonly incident: string
  readonly told: Incident.Told
}

export interface Refusal {
  readonly incident: string
  readonly why: string
}

export class AlertStore extends Context.Service<AlertStore, {
  /** Takes findings in; those that are known already change nothing. */
  readonly observe: (findings: ReadonlyArray<Alert.Finding>) => Effect.Effect<void, StoreError>
  /** The channel is there from now on, unless it was before. */
  readonly attach: (channel: string) => Effect.Effect<ChannelState, StoreError>
  readonly channel: (channel: string) => Effect.Effect<ChannelState | undefined, StoreError>
  /** Incidents of which the channel does not know how they stand. */
  readonly pending: (channel: string) => Effect.Effect<ReadonlyArray<Pending>, StoreError>
  /** What the channel was told; nothing hinders it any more. */
  readonly delivered: (channel: string, deliveries: ReadonlyArray<Delivery>) => Effect.Effect<void, StoreError>
  readonly failed: (channel: string, trouble: Trouble) => Effect.Effect<void, StoreError>
  /** What the channel would not have, and why. */
  readonly refusals: (channel: string) => Effect.Effect<ReadonlyArray<Refusal>, StoreError>
  /** What goes on, the longest first. */
  readonly open: Effect.Effect<ReadonlyArray<Incident.Incident>, StoreError>
  readonly find: (incident: string) => Effect.Effect<Incident.Incident | undefined, StoreError>
  /** Forgets incidents of which nothing was heard since, even open ones; answers how many. */
  readonly prune: (before: number) => Effect.Effect<number, StoreError>
}>()("barograph/runtime/store/AlertStore") {
  static readonly layer = Layer.effect(AlertStore, Effect.map(SqlClient.SqlClient, (sql) => make(sql)))

  static readonly layerMemory = Layer.sync(AlertStore, AlertMemory.make)
}

interface IncidentRow {
  readonly incident: string
  readonly kind: Alert.Kind
  readonly status: Incident.Incident["status"]
  readonly severity: Alert.Severity
  readonly title: string
  readonly lines: ReadonlyArray<string>
  readonly command: string
  readonly episode: number
  readonly count: number
  readonly patience: number
  readonly opened_at: Date
  readonly changed_at: Date
  readonly latest_at: Date
  readonly latest_key: string
}

const toIncident = ({ changed_at, latest_at, latest_key, opened_at, ...row }: IncidentRow): Incident.Incident => ({
  incident: row.incident,
  kind: row.kind,
  status: row.status,
  severity: row.severity,
  title: row.title,
  lines: row.lines,
  command: row.command,
  episode: row.episode,
  count: row.count,
  patience: row.patience,
  openedAt: opened_at.getTime(),
  changedAt: changed_at.getTime(),
  latestAt: latest_at.getTime(),
  latestKey: latest_key
})

interface ToldRow {
  readonly told_episode: number | null
  readonly told_status: Incident.Told["status"]
  readonly told_severity: Alert.Severity
  readonly told_count: number
  readonly told_at: Date
  readonly thread: string | null
  readonly refused: string | null
}

const toPending = (row: IncidentRow & ToldRow): Pending => ({
  incident: toIncident(row),
  told: row.told_episode === null ? undefined : {
    episode: row.told_episode,
    status: row.told_status,
    severity: row.told_severity,
    count: row.told_count,
    at: row.told_at.getTime(),
    thread: row.thread ?? undefined,
    refused: row.refused ?? undefined
  }
})

interface ChannelRow {
  readonly channel: string
  readonly since: Date
  readonly delivered_at: Date | null
  readonly failures: number
  readonly error: string | null
  readonly next_at: Date | null
}

const toChannel = (row: ChannelRow): ChannelState => ({
  channel: row.channel,
  since: row.since.getTime(),
  deliveredAt: row.delivered_at?.getTime(),
  failures: row.failures,
  error: row.error ?? undefined,
  nextAt: row.next_at?.getTime()
})

const COLUMNS =
  "i.incident, i.kind, i.status, i.severity, i.title, i.lines, i.command, i.episode, i.count, i.patience, " +
  "i.opened_at, i.changed_at, i.latest_at, i.latest_key"

const save = (sql: SqlClient.SqlClient, self: Incident.Incident) =>
  sql`insert into barograph.alert_incidents (incident, kind, status, severity, title, lines, command, episode, count,
      patience, opened_at, changed_at, latest_at, latest_key)
    values (${self.incident}, ${self.kind}, ${self.status}, ${self.severity}, ${self.title},
      ${JSON.stringify(self.lines)}::jsonb, ${self.command}, ${self.episode}, ${self.count}, ${self.patience},
      ${new Date(self.openedAt)}, ${new Date(self.changedAt)}, ${new Date(self.latestAt)}, ${self.latestKey})
    on conflict (incident) do update set kind = excluded.kind, status = excluded.status, severity = excluded.severity,
      title = excluded.title, lines = excluded.lines, command = excluded.command, episode = excluded.episode,
      count = excluded.count, patience = excluded.patience, opened_at = excluded.opened_at,
      changed_at = excluded.changed_at, latest_at = excluded.latest_at, latest_key = excluded.latest_key`

const find = (sql: SqlClient.SqlClient, incident: string) =>
  Effect.map(
    sql<IncidentRow>`select ${sql.literal(COLUMNS)} from barograph.alert_incidents i where incident = ${incident}`,
    ([row]) => row === undefined ? undefined : toIncident(row)
  )

/** One observer at a time: what an incident becomes depends on what it was. */
const observe = (sql: SqlClient.SqlClient, findings: ReadonlyArray<Alert.Finding>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    if (findings.length === 0) return
    yield* sql`select pg_advisory_xact_lock(hashtextextended('barograph/alerts', 0))`
    const now = yield* Clock.currentTimeMillis
    for (const finding of findings) {
      const before = yield* find(sql, finding.incident)
      const after = Incident.apply(before, finding, now)
      if (after !== undefined && after !== before) yield* save(sql, after)
    }
  }))

const attach = (sql: SqlClient.SqlClient, channel: string) =>
  Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    const [row] = yield* sql<
      ChannelRow
    >`insert into barograph.alert_channels (channel, since) values (${channel}, ${now})
      on conflict (channel) do update set channel = excluded.channel returning *`
    return toChannel(row!)
  })

const pending = (sql: SqlClient.SqlClient, channel: string) =>
  sql<IncidentRow & ToldRow>`select ${sql.literal(COLUMNS)}, d.episode as told_episode, d.status as told_status,
      d.severity as told_severity, d.count as told_count, d.told_at, d.thread, d.refused
    from barograph.alert_incidents i
    left join barograph.alert_deliveries d on d.incident = i.incident and d.channel = ${channel}
    where (d.episode, d.status, d.severity, d.count) is distinct from (i.episode, i.status, i.severity, i.count)
      and (d.incident is not null or i.status = 'open'
        or i.changed_at >= (select since from barograph.alert_channels where channel = ${channel}))`

const delivered = (sql: SqlClient.SqlClient, channel: string, deliveries: ReadonlyArray<Delivery>) =>
  Transaction.within(sql)(Effect.gen(function*() {
    const now = new Date(yield* Clock.currentTimeMillis)
    const rows = deliveries.map(({ incident, told }) => ({ incident, ...told }))
    yield* sql`insert into barograph.alert_deliveries
        (incident, channel, episode, status, severity, count, told_at, thread, refused)
      select r.incident, ${channel}, r.episode, r.status, r.severity, r.count,
        to_timestamp(r.at / 1000), r.thread, r.refused
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(incident text, episode integer, status text,
        severity text, count integer, at double precision, thread text, refused text)
      join barograph.alert_incidents i on i.incident = r.incident
      on conflict (incident, channel) do update set episode = excluded.episode, status = excluded.status,
        severity = excluded.severity, count = excluded.count, told_at = excluded.told_at, thread = excluded.thread,
        refused = excluded.refused`
    yield* sql`update barograph.alert_channels
      set delivered_at = ${now}, failures = 0, error = null, next_at = null where channel = ${channel}`
  }))

const date = (instant: number | undefined): Date | null => instant === undefined ? null : new Date(instant)

const make = (sql: SqlClient.SqlClient): AlertStore["Service"] => ({
  observe: (findings) => during("take in what may need a person")(observe(sql, findings)),
  attach: (channel) => during("attach a channel of alerts")(attach(sql, channel)),
  channel: (channel) =>
    sql<ChannelRow>`select * from barograph.alert_channels where channel = ${channel}`.pipe(
      Effect.map(([row]) => row === undefined ? undefined : toChannel(row)),
      during("read a channel of alerts")
    ),
  pending: (channel) =>
    pending(sql, channel).pipe(
      Effect.map((rows) => rows.map(toPending)),
      during("read what is to be told")
    ),
  delivered: (channel, deliveries) => during("record what was told")(delivered(sql, channel, deliveries)),
  failed: (channel, { error, failures, nextAt }) =>
    sql`update barograph.alert_channels set failures = ${failures}, error = ${error ?? null}, next_at = ${date(nextAt)}
      where channel = ${channel}`.pipe(Effect.asVoid, during("record that an alert did not arrive")),
  refusals: (channel) =>
    sql<Refusal>`select incident, refused as why from barograph.alert_deliveries
      where channel = ${channel} and refused is not null order by told_at, incident`.pipe(
      during("read alerts that were not accepted")
    ),
  open: sql<IncidentRow>`select ${sql.literal(COLUMNS)} from barograph.alert_incidents i
      where status = 'open' order by opened_at, incident`.pipe(
    Effect.map((rows) => rows.map(toIncident)),
    during("read open incidents")
  ),
  find: (incident) => during("find an incident")(find(sql, incident)),
  prune: (before) =>
    sql`delete from barograph.alert_incidents where latest_at < ${new Date(before)} returning incident`.pipe(
      Effect.map((rows) => rows.length),
      during("forget old incidents")
    )
})
