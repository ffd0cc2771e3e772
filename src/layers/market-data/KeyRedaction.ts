/**
 * Removes the key from whatever leaves a source: the vendor echoes it in messages, and it is part of the address.
 *
 * Every form in which it may appear (plain, percent-encoded, form-encoded, escaped in JSON or HTML) is replaced by
 * `***`, whatever its case. The public key `demo` is no secret and stays: it is an ordinary word of the vendor's texts.
 */
import * as Redacted from "effect/Redacted"

const REPLACEMENT = "***"

export interface KeyRedaction {
  readonly text: (text: string) => string
  /** The same bytes when the key is not in them. */
  readonly bytes: (bytes: Uint8Array) => Uint8Array
}

export const make = (key: Redacted.Redacted<string>): KeyRedaction => {
  const secret = Redacted.value(key)
  if (secret === "" || secret === "demo") return { text: (text) => text, bytes: (bytes) => bytes }
  const inText = pattern(formsOf(secret))
  const inBytes = pattern(formsOf(secret).map((form) => Buffer.from(form).toString("latin1")))
  return {
    text: (text) => text.replace(inText, REPLACEMENT),
    bytes: (bytes) => redactedBytes(bytes, inBytes)
  }
}

const formsOf = (secret: string): ReadonlyArray<string> => {
  const json = JSON.stringify(secret).slice(1, -1)
  const html = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    "\"",
    "&quot;"
  )
  const form = new URLSearchParams({ k: secret }).toString().slice(2)
  const forms = [secret, encodeURIComponent(secret), encodeURI(secret), form, json, json.replaceAll("/", "\\/"), html]
  return [...new Set(forms)].sort((a, b) => b.length - a.length)
}

const pattern = (forms: ReadonlyArray<string>): RegExp =>
  new RegExp(forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "gi")

/** Bytes as Latin-1: every byte keeps its value, whatever the body's encoding. */
const redactedBytes = (bytes: Uint8Array, secret: RegExp): Uint8Array => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
  secret.lastIndex = 0
  return secret.test(text) ? Buffer.from(text.replace(secret, REPLACEMENT), "latin1") : bytes
}
