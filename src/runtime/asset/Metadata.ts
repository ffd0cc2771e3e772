/** Numbers and texts about a materialization or a check: what is shown of it, and what can be drawn over time. */

export type Metadata = { readonly [name: string]: number | string }

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
export const cleanText = (text: string): string => text.replaceAll("\u0000", "\ufffd").toWellFormed()

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
