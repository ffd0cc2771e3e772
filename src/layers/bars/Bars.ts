/**
 * The bar as columns: what decoders produce, what every store reads and writes.
 *
 * Rows are ordered by `ts`, one row per `ts`. Prices are in the currency of the listing, volume in shares; `ts` is the
 * start of the bar's window in epoch milliseconds. Loops over bars are plain loops over these columns: no row objects
 * on hot paths.
 */
import * as Crypto from "node:crypto"

export interface Bars {
  readonly length: number
  readonly ts: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  readonly volume: Float64Array
}

/** The bars of one trading session (`YYYY-MM-DD`, the exchange's local date). */
export interface SessionBars {
  readonly session: string
  readonly bars: Bars
}

/** One row that a decoder or a rule refused: the reason for a person, the text as the vendor sent it. */
export interface Reject {
  readonly reason: string
  readonly raw: string
  /** Epoch milliseconds, when the row's time could be read. */
  readonly ts: number | null
}

/** Room for `length` bars, all zero. */
export const allocate = (length: number): Bars => ({
  length,
  ts: new Float64Array(length),
  open: new Float64Array(length),
  high: new Float64Array(length),
  low: new Float64Array(length),
  close: new Float64Array(length),
  volume: new Float64Array(length)
})

export const empty: Bars = allocate(0)

/** Rows `from` (inclusive) to `to` (exclusive), sharing memory with `self`. */
export const slice = (self: Bars, from: number, to: number): Bars => ({
  length: to - from,
  ts: self.ts.subarray(from, to),
  open: self.open.subarray(from, to),
  high: self.high.subarray(from, to),
  low: self.low.subarray(from, to),
  close: self.close.subarray(from, to),
  volume: self.volume.subarray(from, to)
})

const bytesOf = (column: Float64Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength)

/**
 * SHA-256 over the canonical rows, 32 hex digits. Equal rows give equal hashes whatever file, table or library
 * version holds them: this is the data version of a session.
 */
export const contentHash = (self: Bars): string => {
  const hash = Crypto.createHash("sha256").update(`bars/1:${self.length}:`)
  for (const column of [self.ts, self.open, self.high, self.low, self.close, self.volume]) hash.update(bytesOf(column))
  return hash.digest("hex").slice(0, 32)
}
