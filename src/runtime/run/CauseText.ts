/** What went wrong, in a line. */
import * as Cause from "effect/Cause"
import * as Metadata from "../asset/Metadata.ts"

/** One line; the cause of a failure as a person would say it, and as it can be kept. */
export const message = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Metadata.cleanText(error instanceof Error ? error.message || error.name : plain(error))
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
