/**
 * JSON read in place from the bytes that came, without the cost of making a text of them. Positions are indices into the
 * bytes; -1 stands for damage: the end of the bytes, or a control character inside a string, which valid JSON never
 * holds and a lost quote soon runs into.
 *
 * It locates values and does not judge their inside; who reads a value checks it.
 */
export const QUOTE = 34
export const COMMA = 44
export const COLON = 58
export const OPEN_OBJECT = 123
export const CLOSE_OBJECT = 125
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93
const BACKSLASH = 92

/** The first position from `at` on that holds no white space. */
export const skipBlank = (bytes: Uint8Array, at: number): number => {
  let i = at
  for (let byte = bytes[i]; byte === 32 || byte === 10 || byte === 13 || byte === 9;) byte = bytes[++i]
  return i
}

/** The position after the string that begins at `at`. */
export const stringEnd = (bytes: Uint8Array, at: number): number => {
  if (bytes[at] !== QUOTE) return -1
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) return i + 1
    if (byte < 32) return -1
    if (byte === BACKSLASH) i++
  }
  return -1
}

const endsScalar = (byte: number): boolean =>
  byte === 32 || byte === 10 || byte === 13 || byte === 9 || byte === COMMA || byte === COLON || byte === QUOTE ||
  byte === OPEN_OBJECT || byte === CLOSE_OBJECT || byte === OPEN_ARRAY || byte === CLOSE_ARRAY

/** The position after a number or a literal such as `null`: whatever ends at white space, a comma or a bracket. */
const scalarEnd = (bytes: Uint8Array, at: number): number => {
  let i = at
  while (i < bytes.length && !endsScalar(bytes[i]!)) i++
  return i === at || i === bytes.length ? -1 : i
}

const nestedEnd = (bytes: Uint8Array, at: number): number => {
  const open: Array<number> = []
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === QUOTE) {
      i = stringEnd(bytes, i) - 1
      if (i < 0) return -1
    } else if (byte === OPEN_OBJECT) open.push(CLOSE_OBJECT)
    else if (byte === OPEN_ARRAY) open.push(CLOSE_ARRAY)
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (open.pop() !== byte) return -1
      if (open.length === 0) return i + 1
    }
  }
  return -1
}

/** The position after the value that begins at `at`, whatever its kind. */
export const valueEnd = (bytes: Uint8Array, at: number): number => {
  const byte = bytes[at]
  if (byte === QUOTE) return stringEnd(bytes, at)
  return byte === OPEN_OBJECT || byte === OPEN_ARRAY ? nestedEnd(bytes, at) : scalarEnd(bytes, at)
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** The text of a range, damaged UTF-8 replaced. */
export const text = (bytes: Uint8Array, from: number, to: number): string => decoder.decode(bytes.subarray(from, to))

/** The value between two positions; undefined where it is none. */
export const parsed = (bytes: Uint8Array, from: number, to: number): unknown => {
  try {
    return JSON.parse(text(bytes, from, to))
  } catch {
    return undefined
  }
}
