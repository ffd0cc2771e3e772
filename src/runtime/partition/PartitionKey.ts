/**
 * A partition key names one partition: a value per dimension. Its canonical text, `symbol=IBM,session=2013-10-04`, is
 * what people type, what the store keeps and what is compared. The unpartitioned asset's only key is `{}`, text ``.
 */

export type PartitionKey = { readonly [dimension: string]: string }

export const unpartitioned: PartitionKey = {}

/** `%`, `,`, `;`, `=`, `*`, `.` before `.`, and control characters would not survive the text form. */
export const encodeValue = (value: string): string =>
  value.replace(/[%,;=*]|\p{Cc}|\.(?=\.)/gu, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`)

/** The inverse of the encoding of one value in the text form. */
export const decodeValue = (text: string): string =>
  text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Dimensions come out in the order of the object, which is the order of their declaration. */
export const toText = (key: PartitionKey): string => {
  let text = ""
  for (const dimension in key) text += `${text === "" ? "" : ","}${dimension}=${encodeValue(key[dimension]!)}`
  return text
}

/** The inverse of `toText`; the text is one that `toText` wrote. */
export const fromText = (text: string): PartitionKey => {
  const key: { [dimension: string]: string } = {}
  if (text === "") return key
  for (const part of text.split(",")) {
    const at = part.indexOf("=")
    key[part.slice(0, at)] = decodeValue(part.slice(at + 1))
  }
  return key
}

/** For people: the text, or a word where there is none. */
export const label = (text: string): string => text === "" ? "(unpartitioned)" : text
