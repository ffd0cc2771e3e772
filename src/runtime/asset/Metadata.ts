/** Numbers and texts about a materialization or a check: what is shown of it, and what can be drawn over time. */

export type Metadata = { readonly [name: string]: number | string }

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
export const cleanText = (text: string): string => text.replaceAll("\u0000", "\ufffd").toWellFormed()

/** Plain data with all of its texts clean. */
export const cleanTexts = <A>(data: A): A => cleanUnknown(data) as A

const cleanUnknown = (data: unknown): unknown => {
  if (typeof data === "string") return cleanText(data)
  if (Array.isArray(data)) return data.map(cleanUnknown)
  if (typeof data !== "object" || data === null) return data
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [cleanText(name), cleanUnknown(value)]))
}

/** What of it can be kept: finite numbers, and texts. */
export const clean = (values: { readonly [name: string]: unknown }): Metadata => {
  const kept: { [name: string]: number | string } = {}
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") kept[cleanText(name)] = cleanText(value)
    if (typeof value === "number" && Number.isFinite(value)) kept[cleanText(name)] = value
  }
  return kept
}

/** The numbers and texts of a recorded output; an output that is itself one of them is its `value`. */
export const fromOutput = (output: unknown): Metadata => {
  if (typeof output === "number" || typeof output === "string") return clean({ value: output })
  return typeof output === "object" && output !== null && !Array.isArray(output) ? clean({ ...output }) : {}
}
