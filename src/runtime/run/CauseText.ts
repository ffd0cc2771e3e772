/** What went wrong, in a line. */
import * as Cause from "effect/Cause"
import * as Metadata from "../asset/Metadata.ts"

/** One line; the cause of a failure as a person would say it, and as it can be kept. */
export const message = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Metadata.cleanText(String(error instanceof Error ? error.message || error.name : error))
}
