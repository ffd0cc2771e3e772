/** What went wrong, in a line. */
import * as Cause from "effect/Cause"

/** One line; the cause of a failure as a person would say it. */
export const message = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message || error.name : String(error)
}
