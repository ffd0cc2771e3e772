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

  keep(index: number, bytes: Uint8Array, from: number, to: number): void {
    if ((this.seen & 1 << index) !== 0) this.reason ??= `${names[index]} given twice`
    this.seen |= 1 << index
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
