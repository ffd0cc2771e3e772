/** How a run and its events lie in their tables. */
import type * as SqlClient from "effect/sql/SqlClient"
import type { Tags } from "../run/Admission.ts"
import type { Event, RunStatus } from "../run/Event.ts"
import type { Run } from "./RunStore.ts"

export interface Row {
  readonly run_id: string
  readonly status: RunStatus
  readonly request: unknown
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly totals: unknown
  readonly tags: Tags
  readonly priority: number
  readonly why: string | null
  readonly run_key: string | null
  readonly attempt: number
  readonly requested_at: Date | null
}

export const fromRow = (row: Row): Run => ({
  runId: row.run_id,
  status: row.status,
  request: row.request,
  startedAt: row.started_at.getTime(),
  endedAt: row.ended_at?.getTime(),
  totals: row.totals,
  tags: row.tags,
  priority: row.priority,
  why: row.why ?? undefined,
  runKey: row.run_key ?? undefined,
  attempt: row.attempt,
  requestedAt: row.requested_at?.getTime()
})

export const COLUMNS =
  "run_id, status, request, started_at, ended_at, totals, tags, priority, why, run_key, attempt, requested_at"

const eventRow = (event: Event) => ({
  type: event.type,
  asset: "asset" in event ? event.asset : null,
  partition: "results" in event && event.results.length === 1 ? event.results[0]!.partition : null,
  data: event
})

export const insertEvents = (sql: SqlClient.SqlClient, runId: string, events: ReadonlyArray<Event>, now: number) =>
  sql`insert into barograph.events (run_id, at, type, asset, partition, data)
    select ${runId}, ${new Date(now)}, e.type, e.asset, e.partition, e.data
    from jsonb_to_recordset(${JSON.stringify(events.map(eventRow))}::jsonb)
      as e(type text, asset text, partition text, data jsonb)`
