/** The few documents that S3 sends and reads. */

export const escape = (text: string): string =>
  text.replace(/[&<>"'\r\n]/g, (character) => `&#${character.codePointAt(0)};`)

export type Node = string | number | boolean | ReadonlyArray<readonly [string, Node]>

export const element = (name: string, content: Node): string =>
  Array.isArray(content)
    ? `<${name}>${content.map(([child, inner]) => element(child, inner)).join("")}</${name}>`
    : `<${name}>${escape(String(content))}</${name}>`

export const document = (name: string, content: Node): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, content)}`

const unescape = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi, (_, hex, decimal, name) =>
    name !== undefined
      ? { amp: "&", lt: "<", gt: ">", quot: "\"", apos: "'" }[name as "amp"]
      : String.fromCodePoint(hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal)))

/** What is inside each element of that name. */
export const all = (text: string, name: string): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map((found) => found[1]!)

export const one = (text: string, name: string): string => unescape(all(text, name)[0] ?? "")
