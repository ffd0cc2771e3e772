/** The five numbers of a bar while a row is being read: which of them were there, and which were none. */
import * as JsonBytes from "./JsonBytes.ts"
import * as JsonWalk from "./JsonWalk.ts"

const names = ["open", "high", "low", "close", "volume"] as const
const ALL = 0b11111

export class Columns {
  readonly values = new Float64Array(names.length)
  private seen = 0
  private reason: string | undefined

  clear(): void {
    this.seen = 0
    this.reason = undefined
  }

  /** Reads the value at `at` and answers the position after it, -1 for damage. Plain decimals take one pass. */
  read(index: number, bytes: Uint8Array, at: number): number {
    const quoted = bytes[at] === JsonBytes.QUOTE
    const first = quoted ? at + 1 : at
    let [mantissa, dot, i] = [0, -1, first]
    for (;; i++) {
      const code = bytes[i]!
      if (code >= 48 && code <= 57) mantissa = mantissa * 10 + code - 48
      else if (code === 46 && dot === -1) dot = i
      else break
    }
    const isPlain = dot !== first && dot !== i - 1 && i > first && i - first <= 15 && endsAt(bytes[i], quoted)
    if (!isPlain) return this.readOther(index, bytes, at)
    this.mark(index)
    this.values[index] = dot === -1 ? mantissa : mantissa / JsonWalk.powers[i - dot - 1]!
    return quoted ? i + 1 : i
  }

  private readOther(index: number, bytes: Uint8Array, at: number): number {
    const end = JsonBytes.valueEnd(bytes, at)
    if (end !== -1) this.keep(index, bytes, at, end)
    return end
  }

  private mark(index: number): void {
    if ((this.seen & 1 << index) !== 0) this.reason ??= `${names[index]} given twice`
    this.seen |= 1 << index
  }

  private keep(index: number, bytes: Uint8Array, from: number, to: number): void {
    this.mark(index)
    const value = JsonWalk.decimal(bytes, from, to)
    this.values[index] = value
    if (Number.isNaN(value)) {
      this.reason ??= `${names[index]} is not a number: ${JsonBytes.text(bytes, from, Math.min(to, from + 100))}`
    }
  }

  /** Why the numbers cannot be used, or undefined. */
  problem(): string | undefined {
    if (this.reason !== undefined || this.seen === ALL) return this.reason
    return `missing ${names.find((_, index) => (this.seen & 1 << index) === 0)}`
  }
}

const endsAt = (byte: number | undefined, quoted: boolean): boolean =>
  quoted
    ? byte === JsonBytes.QUOTE
    : byte === JsonBytes.COMMA || byte === JsonBytes.CLOSE_OBJECT || byte === CLOSE_ARRAY

const CLOSE_ARRAY = 93
