/**
 * Data versions: short texts that are equal when the data is equal. An asset gives its own (a content hash), or gets
 * hash(code version, input data versions); a source without inputs gets the hash of what it recorded.
 */
import * as Crypto from "node:crypto"

const digest = (parts: ReadonlyArray<string>): string => {
  let text = ""
  for (const part of parts) text += `${part.length}:${part}`
  return Crypto.hash("sha256", text, "hex").slice(0, 32)
}

/** The version of a dependency that reads several partitions, or of one: its own. */
export const combine = (versions: ReadonlyArray<readonly [key: string, version: string]>): string =>
  versions.length === 1 ? versions[0]![1] : digest(versions.flat())

/** For an asset that does not give a content hash. */
export const derive = (
  codeVersion: string,
  inputs: { readonly [dependency: string]: string },
  encodedOutput: unknown
): string => {
  const pairs = Object.entries(inputs).sort(([a], [b]) => a < b ? -1 : 1).flat()
  return digest([codeVersion, ...(pairs.length === 0 ? [JSON.stringify(encodedOutput) ?? ""] : pairs)])
}
