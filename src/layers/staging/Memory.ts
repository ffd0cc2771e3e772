/** The staging area in memory: what `Postgres.ts` does, on plain maps. One request at a time, all or nothing. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { allocate, type Bars } from "../bars/Bars.ts"
import { BarStore, BarStoreError, type StageRequest } from "./BarStore.ts"
import * as Staging from "./Staging.ts"

/** One staged bar, as a row of `staging.bars`. */
export interface BarRow {
  readonly source: string
  readonly symbol: string
  readonly interval: string
  readonly session: string
  readonly ts: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly stagedAt: number
}

export interface HistoryRow extends BarRow {
  readonly replacedAt: number
  readonly change: "restated" | "removed"
  readonly payload: string
}

export interface QuarantinedRow extends Staging.QuarantinedReject {
  readonly symbol: string
  readonly month: string
  readonly payload: string
}

/** The tables. */
export interface Tables {
  /** By symbol, interval and ts. */
  readonly bars: Map<string, BarRow>
  readonly history: Array<HistoryRow>
  quarantined: ReadonlyArray<QuarantinedRow>
}

export const makeTables = (): Tables => ({ bars: new Map(), history: [], quarantined: [] })

/** `tables` lets a test look inside. */
export const layerMemory = (tables: Tables = makeTables()): Layer.Layer<BarStore> =>
  Layer.sync(BarStore, () =>
    BarStore.of({
      stage: (request) => Effect.flatMap(Clock.currentTimeMillis, (now) => stage(tables, request, now)),
      read: (partitions) => Effect.sync(() => partitions.map(({ session, symbol }) => read(tables, symbol, session)))
    }))

const keyOf = ({ interval, symbol, ts }: Pick<BarRow, "symbol" | "interval" | "ts">): string =>
  JSON.stringify([symbol, interval, ts])

const rowsOf = (tables: Tables, symbol: string, session: string): ReadonlyArray<BarRow> =>
  [...tables.bars.values()].filter((row) => row.symbol === symbol && row.session === session)

const refuse = (message: string) =>
  Effect.fail(new BarStoreError({ operation: "stage", message, retryable: false, cause: undefined }))

const stage = (tables: Tables, request: StageRequest, now: number) => {
  const { month, sessions, symbol } = request
  const violation = Staging.violation(request)
  if (violation !== undefined) return refuse(`${symbol} ${month}: ${violation}`)
  const before = new Map(tables.bars)
  const held = sessions.map(({ session }) => rowsOf(tables, symbol, session))
  const lacking = held.map((rows) => rows.filter(lacks(request)))
  const mixed = sessions.find(({ bars }, at) =>
    !request.complete && bars.length > 0 && lacking[at]!.some(({ interval }) => interval !== request.interval)
  )
  if (mixed !== undefined) return refuse(Staging.mixed(request, mixed.session))
  const written = sessions.map(({ bars, session }) => write(tables, request, session, bars, now, before))
  for (const row of request.complete ? lacking.flat() : []) {
    tables.bars.delete(keyOf(row))
    tables.history.push({ ...row, replacedAt: now, change: "removed", payload: Staging.storable(request.payload) })
  }
  quarantine(tables, request)
  return Effect.succeed(sessions.map((session, at) => {
    const kept = request.complete ? 0 : lacking[at]!.length
    const removed = held[at]!.filter((row) => isGone(tables, row)).length
    const counts = { ...written[at]!, removed, kept, mixed: 0 }
    return Staging.staged(session, counts, kept === 0 ? session.bars : read(tables, symbol, session.session))
  }))
}

/** The rows that no row of the payload takes the place of. */
const lacks = (request: StageRequest) => {
  const given = new Set(request.sessions.flatMap(({ bars }) => [...bars.ts]))
  return ({ interval, ts }: BarRow): boolean => interval !== request.interval || !given.has(ts)
}

const isGone = (tables: Tables, row: BarRow): boolean => tables.bars.get(keyOf(row))?.session !== row.session

const write = (
  tables: Tables,
  request: StageRequest,
  session: string,
  bars: Bars,
  now: number,
  before: ReadonlyMap<string, BarRow>
) => {
  const counts = { inserted: 0, unchanged: 0, restated: 0 }
  for (let at = 0; at < bars.length; at++) {
    const row = rowAt(request, session, bars, at, now)
    const old = before.get(keyOf(row))
    const change = old?.session !== session ? "inserted" : equal(old, row) ? "unchanged" : "restated"
    counts[change]++
    if (change !== "unchanged") tables.bars.set(keyOf(row), row)
    else if (old !== undefined) tables.bars.set(keyOf(row), { ...old, source: row.source })
    if (old === undefined || change === "unchanged") continue
    const past = change === "inserted" ? "removed" : change
    tables.history.push({ ...old, replacedAt: now, change: past, payload: Staging.storable(request.payload) })
  }
  return counts
}

const rowAt = (
  { interval, source, symbol }: StageRequest,
  session: string,
  bars: Bars,
  at: number,
  stagedAt: number
): BarRow => ({
  source,
  symbol,
  interval,
  session,
  ts: bars.ts[at]!,
  open: bars.open[at]!,
  high: bars.high[at]!,
  low: bars.low[at]!,
  close: bars.close[at]!,
  volume: bars.volume[at]!,
  stagedAt
})

const columns = ["ts", "open", "high", "low", "close", "volume"] as const

const equal = (left: BarRow, right: BarRow): boolean => columns.every((column) => left[column] === right[column])

const quarantine = (tables: Tables, request: StageRequest): void => {
  const { month, symbol } = request
  const asked = new Set(request.sessions.map(({ session }) => session))
  const payload = Staging.storable(request.payload)
  tables.quarantined = [
    ...tables.quarantined.filter((row) =>
      row.symbol !== symbol || (row.session === null ? row.month !== month : !asked.has(row.session))
    ),
    ...Staging.quarantined(request).map((reject) => ({ symbol, month, payload, ...reject }))
  ]
}

const read = (tables: Tables, symbol: string, session: string): Bars => {
  const rows = rowsOf(tables, symbol, session).toSorted((left, right) => left.ts - right.ts)
  const bars = allocate(rows.length)
  for (let at = 0; at < rows.length; at++) {
    for (const column of columns) bars[column][at] = rows[at]![column]
  }
  return bars
}
