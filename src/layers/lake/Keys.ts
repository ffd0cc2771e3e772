/** Which object keys there are: the parts of a relative path, none of them hidden, none that leads elsewhere. */

/** Why the key is no key, or undefined. */
export const violation = (key: string): string | undefined =>
  key === "" ? "the key is empty" : wrongPart(key.split("/"))

/** A prefix may end anywhere within a key. */
export const prefixViolation = (prefix: string): string | undefined => {
  const parts = prefix.split("/")
  return wrongPart(parts.slice(0, -1)) ?? (parts.at(-1) === "" ? undefined : wrongPart(parts.slice(-1)))
}

const wrongPart = (parts: ReadonlyArray<string>): string | undefined => {
  for (const part of parts) {
    if (part === "") return "a part of the key is empty"
    if (part.startsWith(".")) return `a part of the key begins with a dot: ${part}`
    if (/[\0\\]/.test(part)) return "the key holds a NUL or a backslash"
  }
  return undefined
}

/** The folder that holds every key with the prefix: `bars/symbol=A` is looked for in `bars`. */
export const folder = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf("/") + 1)
