/**
 * Collects bars in the order in which a source sends them and gives them back as `Bars`: ascending, one row per `ts`.
 *
 * A repeated row with the same values collapses. One with other values is a conflict: the first row wins, and `finish`
 * reports the number of each loser, counted in the order of `push`.
 */
import * as Bars from "./Bars.ts"

export class BarsBuilder {
  private columns: Bars.Bars
  private count = 0
  private ascending = true
  private descending = true

  constructor(capacity = 1024) {
    this.columns = Bars.allocate(Math.max(capacity, 16))
  }

  get length(): number {
    return this.count
  }

  push(ts: number, open: number, high: number, low: number, close: number, volume: number): void {
    if (this.count === this.columns.length) this.columns = resized(this.columns, this.count * 2)
    const { columns, count } = this
    if (count > 0 && !(columns.ts[count - 1]! < ts)) this.ascending = false
    if (count > 0 && !(columns.ts[count - 1]! > ts)) this.descending = false
    columns.ts[count] = ts
    columns.open[count] = open
    columns.high[count] = high
    columns.low[count] = low
    columns.close[count] = close
    // -0 becomes 0, which is what a column of whole numbers would make of it.
    columns.volume[count] = volume + 0
    this.count = count + 1
  }

  finish(): { readonly bars: Bars.Bars; readonly conflicts: ReadonlyArray<number> } {
    const rows = Bars.slice(this.columns, 0, this.count)
    if (this.ascending) return { bars: rows, conflicts: [] }
    return this.descending ? { bars: reversed(rows), conflicts: [] } : deduplicated(rows)
  }
}

const columnsOf = (bars: Bars.Bars): ReadonlyArray<Float64Array> => [
  bars.ts,
  bars.open,
  bars.high,
  bars.low,
  bars.close,
  bars.volume
]

const resized = (bars: Bars.Bars, length: number): Bars.Bars => {
  const room = Bars.allocate(length)
  const target = columnsOf(room)
  columnsOf(bars).forEach((column, i) => target[i]!.set(column))
  return room
}

const reversed = (bars: Bars.Bars): Bars.Bars => {
  for (const column of columnsOf(bars)) column.reverse()
  return bars
}

const deduplicated = (bars: Bars.Bars): { readonly bars: Bars.Bars; readonly conflicts: ReadonlyArray<number> } => {
  const order = Uint32Array.from({ length: bars.length }, (_, row) => row)
    .sort((a, b) => bars.ts[a]! - bars.ts[b]! || a - b)
  const kept: Array<number> = []
  const conflicts: Array<number> = []
  for (const row of order) {
    const last = kept.at(-1)
    if (last === undefined || bars.ts[last] !== bars.ts[row]) kept.push(row)
    else if (!sameRow(bars, last, row)) conflicts.push(row)
  }
  return { bars: picked(bars, kept), conflicts: conflicts.sort((a, b) => a - b) }
}

const sameRow = (bars: Bars.Bars, a: number, b: number): boolean =>
  columnsOf(bars).every((column) => column[a] === column[b])

const picked = (bars: Bars.Bars, rows: ReadonlyArray<number>): Bars.Bars => {
  const result = Bars.allocate(rows.length)
  const target = columnsOf(result)
  columnsOf(bars).forEach((column, i) => rows.forEach((row, at) => target[i]![at] = column[row]!))
  return result
}
