/**
 * The rows of one series while it is read, whatever it is written in: those that obey the rules become columns, the
 * others are kept with the reason and their text.
 */
import * as BarRule from "../../bars/BarRule.ts"
import { BarsBuilder } from "../../bars/BarsBuilder.ts"
import type * as Rule from "../../bars/Rule.ts"
import type * as WallClock from "../../bars/WallClock.ts"
import * as Json from "../JsonBytes.ts"
import type { Decoded } from "../MarketData.ts"
import type * as Interval from "./Interval.ts"
import * as Labels from "./Labels.ts"

/** How much of a refused text is kept: enough to see the damage, the payload itself is stored anyway. */
const RAW_LIMIT = 2000

/** A character is at most four bytes. */
export const rawOf = (bytes: Uint8Array, from: number, to: number): string =>
  Json.text(bytes, from, Math.min(to, from + 4 * RAW_LIMIT)).slice(0, RAW_LIMIT)

/** Everything refused for one reason. */
export const refused = (reason: string, bytes: Uint8Array, from = 0): Decoded => ({
  sessions: [],
  rejects: [{ session: null, ts: null, reason, raw: rawOf(bytes, from, bytes.length) }],
  complete: false
})

/** What a reader of rows finds out about one. */
export interface Row {
  readonly values: Float64Array
  /** Holds the label at `labelAt`. */
  readonly label: Uint8Array
  readonly labelAt: number
  readonly labelLength: number
  /** Why the row is refused. */
  readonly reason: string | undefined
}

export class SeriesRows {
  private readonly bytes: Uint8Array
  private readonly labels: Labels.Labels
  private readonly builder: BarsBuilder
  private readonly starts: Array<number> = []
  private readonly rejects: Array<Labels.Rejected> = []

  private readonly rules: Rule.Rules

  constructor(
    bytes: Uint8Array,
    interval: Interval.Interval,
    clock: WallClock.WallClock,
    bytesPerRow: number,
    rules: Rule.Rules
  ) {
    this.bytes = bytes
    this.rules = rules
    this.labels = new Labels.Labels(interval, clock)
    this.builder = new BarsBuilder(Math.ceil(bytes.length / bytesPerRow))
  }

  /** Takes a row with plain numbers if it obeys every rule; false leaves it to `keep`. Bytes of the label are at `labelAt`. */
  take(values: Float64Array, labelAt: number, start: number): boolean {
    const local = this.labels.plain(this.bytes, labelAt)
    const [open, high, low, close, volume] = [values[0]!, values[1]!, values[2]!, values[3]!, values[4]!]
    if (Number.isNaN(local) || !BarRule.holds(open, high, low, close, volume)) return false
    this.builder.push(local, open, high, low, close, volume)
    this.starts.push(start)
    return true
  }

  /** Takes or refuses the row whose text is `start` to `end`. */
  keep({ label, labelAt, labelLength, reason: unreadable, values }: Row, start: number, end: number): void {
    const local = this.labels.read(label, labelAt, labelLength)
    const [open, high, low, close, volume] = [values[0]!, values[1]!, values[2]!, values[3]!, values[4]!]
    const reason = this.labels.problem(local, this.rules) ?? unreadable ??
      BarRule.violation(open, high, low, close, volume, this.rules)
    if (reason !== undefined) return this.reject(reason, local, start, end)
    this.builder.push(local, open, high, low, close, volume)
    this.starts.push(start)
  }

  /** Refuses what is no row. */
  damaged(reason: string, from: number, to: number): void {
    this.reject(reason, Number.NaN, from, to)
  }

  private reject(reason: string, local: number, start: number, end: number): void {
    this.rejects.push({ local, reason, raw: rawOf(this.bytes, start, end) })
  }

  /** `reread` finds a row again by its start and says where it ends. `information` is the vendor's sentence. */
  decoded(
    complete: boolean,
    information: string | undefined,
    reread: (start: number) => Row & { end: number }
  ): Decoded {
    const { bars, conflicts } = this.builder.finish()
    for (const row of this.rules.has("duplicate") ? conflicts : []) {
      const { end, label, labelAt, labelLength } = reread(this.starts[row]!)
      const local = this.labels.read(label, labelAt, labelLength)
      this.reject("duplicate timestamp with other values", local, this.starts[row]!, end)
    }
    return this.labels.decoded(bars, this.rejects, complete, information)
  }
}
