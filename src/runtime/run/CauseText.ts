/** What went wrong, in a line. It is kept, logged and told, so what is secret in the addresses that it names is left out. */
import * as Cause from "effect/Cause"
import * as Metadata from "../asset/Metadata.ts"

/** In `scheme://user:password@host`. */
const PASSWORD = /(:\/\/[^\s:@/?#]*):[^\s/?#"]*@/g

/** Parameters of an address that carry a secret, by how their names end. */
const PARAMETER =
  /([?&;](?:[\w.-]*(?:token|secret|signature|credential|password|api[_-]?key|access[_-]?key)|sig)=)[^&;#\s"'<>()]+/gi

/** As it can be kept, and told to anybody. */
export const clean = (text: string): string =>
  Metadata.cleanText(text.replace(PASSWORD, "$1:***@").replace(PARAMETER, "$1***"))

/** One line; the cause of a failure as a person would say it, and as it can be kept. */
export const message = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return clean(error instanceof Error ? withFix(error.message || error.name, error) : plain(error))
}

/** The fix that the error knows of, unless its message says it already. */
const withFix = (message: string, error: Error): string => {
  const { fix } = error as { readonly fix?: unknown }
  return typeof fix !== "string" || fix === "" || message.includes(fix) ? message : `${message}; fix: ${fix}`
}

/** Of what is no error: its `message`, with the `fix` that there may be, or what it holds. */
const plain = (error: unknown): string => {
  if (typeof error !== "object" || error === null) return String(error)
  const { fix, message } = error as { readonly fix?: unknown; readonly message?: unknown }
  if (typeof message === "string") return typeof fix === "string" ? `${message} Fix: ${fix}` : message
  try {
    return JSON.stringify(error)
  } catch {
    return String(error)
  }
}
