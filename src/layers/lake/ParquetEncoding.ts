/**
 * Parquet's encodings of flat columns, from typed columns to bytes: no object and no BigInt per value, which is what
 * makes writing quicker than with a general writer. https://parquet.apache.org/docs/file-format/data-pages/encodings/
 */

/** Bytes that grow; one is used again for every page. */
export class Bytes {
  private bytes = new Uint8Array(1 << 16)
  private length = 0

  /** Ends the former use; what `view` gave is then no longer valid. */
  reset(): this {
    this.length = 0
    return this
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  room(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    larger.set(this.view())
    this.bytes = larger
  }

  byte(value: number): void {
    this.room(1)
    this.bytes[this.length++] = value
  }

  all(values: Uint8Array): void {
    this.room(values.length)
    this.bytes.set(values, this.length)
    this.length += values.length
  }

  /** Unsigned, up to 2^53. */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte(rest % 128 | 128)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  /** Signed, up to 2^53 either way: the doubled value would not fit a number, so the first digit is made apart. */
  zigzag(value: number): void {
    const magnitude = value < 0 ? -value - 1 : value
    const rest = Math.floor(magnitude / 64)
    this.byte((magnitude % 64) * 2 + (value < 0 ? 1 : 0) + (rest > 0 ? 128 : 0))
    if (rest > 0) this.varint(rest)
  }

  /** `count` values of `width` bits each, the lowest bit first, from `at(0)` on. `count` times `width` is whole bytes. */
  pack(count: number, width: number, at: (index: number) => number): void {
    this.room(Math.ceil(count * width / 8) + 4)
    let [pending, used] = [0, 0]
    for (let index = 0; index < count; index++) {
      let value = at(index)
      // 24 new bits and 7 pending ones fit the 32 of a bitwise operation.
      for (let left = width; left > 0; left -= 24) {
        const bits = left < 24 ? left : 24
        pending |= (left <= 24 ? value : value % 0x1000000) << used
        if (left > 24) value = Math.floor(value / 0x1000000)
        used += bits
        while (used >= 8) {
          this.bytes[this.length++] = pending
          pending >>>= 8
          used -= 8
        }
      }
    }
    if (used > 0) this.bytes[this.length++] = pending
  }
}

/** Bits that hold `value`, which is whole and up to 2^53. */
export const widthOf = (value: number): number =>
  value < 0x100000000 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 0x100000000))

const BLOCK = 128
const MINIBLOCK = 32

/**
 * DELTA_BINARY_PACKED. Values are whole and safe; false, with nothing written, where their differences are too far apart
 * to be exact.
 */
export const delta = (out: Bytes, values: Float64Array): boolean => {
  let [least, most] = [0, 0]
  for (let at = 1; at < values.length; at++) {
    const step = values[at]! - values[at - 1]!
    if (step < least) least = step
    if (step > most) most = step
  }
  if (most - least > Number.MAX_SAFE_INTEGER) return false
  out.varint(BLOCK)
  out.varint(BLOCK / MINIBLOCK)
  out.varint(values.length)
  out.zigzag(values[0] ?? 0)
  for (let from = 1; from < values.length; from += BLOCK) deltaBlock(out, values, from)
  return true
}

const steps = new Float64Array(BLOCK)

const deltaBlock = (out: Bytes, values: Float64Array, from: number): void => {
  const count = Math.min(BLOCK, values.length - from)
  let least = Infinity
  for (let at = 0; at < count; at++) {
    steps[at] = values[from + at]! - values[from + at - 1]!
    if (steps[at]! < least) least = steps[at]!
  }
  // A miniblock is always full: what is missing counts as the least step.
  for (let at = 0; at < BLOCK; at++) steps[at] = at < count ? steps[at]! - least : 0
  out.zigzag(least)
  const widths: Array<number> = []
  for (let mini = 0; mini < BLOCK; mini += MINIBLOCK) {
    let most = 0
    for (let at = mini; at < mini + MINIBLOCK; at++) if (steps[at]! > most) most = steps[at]!
    widths.push(widthOf(most))
    out.byte(widths.at(-1)!)
  }
  widths.forEach((width, mini) => {
    if (width > 0 && mini * MINIBLOCK < count) out.pack(MINIBLOCK, width, (at) => steps[mini * MINIBLOCK + at]!)
  })
}

/** Values of 8 bytes as pairs of 32 bits, the lower one first: what PLAIN writes. */
export type Words = Uint32Array

export const wordsOfDoubles = (values: Float64Array): Words =>
  new Uint32Array(values.buffer, values.byteOffset, values.length * 2)

/** Two's complement of whole, safe values. */
export const wordsOfIntegers = (values: Float64Array): Words => {
  const words = new Uint32Array(values.length * 2)
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!
    const high = Math.floor(value / 0x100000000)
    words[2 * at] = value - high * 0x100000000
    words[2 * at + 1] = high
  }
  return words
}

export const bytesOf = (words: Words): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength)

/** Its arrays are used again by the next one. */
export interface Dictionary {
  readonly entries: Words
  readonly count: number
  readonly indices: Uint16Array
}

/** What dictionaries are made in: fresh arrays for each column would be most of what the collector has to do. */
const room = { slots: new Int32Array(0), entries: new Uint32Array(0), indices: new Uint16Array(0) }

const prepare = (slots: number, entries: number, rows: number) => {
  if (room.slots.length < slots) room.slots = new Int32Array(slots)
  if (room.entries.length < 2 * entries) room.entries = new Uint32Array(2 * entries)
  if (room.indices.length < rows) room.indices = new Uint16Array(rows)
  room.slots.fill(0, 0, slots)
  return room
}

/** Undefined where more than `most` values differ: a dictionary would not pay then. */
export const dictionary = (words: Words, most: number): Dictionary | undefined => {
  const length = words.length / 2
  const size = 2 ** widthOf(2 * most)
  const { entries, indices, slots } = prepare(size, most, length)
  let count = 0
  for (let at = 0; at < length; at++) {
    const low = words[2 * at]!
    const high = words[2 * at + 1]!
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)
    hash ^= hash >>> 15
    // Slots hold an entry's number plus one: zero is free.
    let slot = hash & size - 1
    let found = slots[slot]!
    while (found !== 0 && (entries[2 * found - 2] !== low || entries[2 * found - 1] !== high)) {
      slot = slot + 1 & size - 1
      found = slots[slot]!
    }
    if (found === 0) {
      if (count === most) return undefined
      entries[2 * count] = low
      entries[2 * count + 1] = high
      found = slots[slot] = ++count
    }
    indices[at] = found - 1
  }
  return { entries: entries.subarray(0, 2 * count), count, indices: indices.subarray(0, length) }
}

/** Of RLE_DICTIONARY: the width, then one bit-packed run. */
export const packedIndices = (out: Bytes, { count, indices }: Dictionary): void => {
  const width = widthOf(Math.max(0, count - 1))
  out.byte(width)
  if (indices.length === 0) return
  const groups = Math.ceil(indices.length / 8)
  out.varint(groups * 2 + 1)
  out.pack(groups * 8, width, (at) => indices[at] ?? 0)
}

/** As `packedIndices`, for values that repeat in long runs: `[value, times]`. */
export const runIndices = (out: Bytes, count: number, runs: ReadonlyArray<readonly [number, number]>): void => {
  const width = widthOf(Math.max(0, count - 1))
  out.byte(width)
  for (const [value, times] of runs) {
    out.varint(times * 2)
    for (let shift = 0; shift < width; shift += 8) out.byte(value >>> shift & 255)
  }
}
