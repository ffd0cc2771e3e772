/**
 * The only place where values become SQL text. The Data API's parameters know neither NULL nor the empty string and are
 * one string each, so rows travel as literals.
 *
 * **Gotchas**
 *
 * In Redshift a backslash within quotes is an escape, so it is doubled as the quote is. A number of more than fifteen
 * digits is quoted: as a bare decimal it would be rounded twice on its way to double precision.
 */

/** What the server can hold of a text: a NUL or half of a surrogate pair is shown by a sign in its place. */
const holdable = (value: string): string => value.replaceAll("\0", "␀").toWellFormed()

/** A text as a literal. */
export const text = (value: string): string => `'${holdable(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`

/** The same text as a field of CSV. */
export const quoted = (value: string): string => `"${holdable(value).replaceAll("\"", "\"\"")}"`

/** `2024-03-05 14:30:00.000`, UTC: how both literals and files name an instant. */
export const timestamp = (epochMillis: number): string =>
  new Date(epochMillis).toISOString().slice(0, -1).replace("T", " ")

/** As a text outside of SQL has it: the shortest digits that are this value and no other, and -0. */
export const digits = (value: number): string => value === 0 && Object.is(value, -0) ? "-0" : String(value)

/** A double precision value, the same bits on the server; also NaN, the infinities and -0. */
export const number = (value: number): string => {
  const text = digits(value)
  return PLAIN.test(text) ? text : `'${text}'`
}

const PLAIN = /^(?!-0$)-?(?=[\d.]{1,16}$)\d+(?:\.\d+)?$/

/** A whole number that a double holds exactly; another one is a mistake of ours. */
export const integer = (value: number): string => {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`)
  return String(value)
}
