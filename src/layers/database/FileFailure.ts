/**
 * Node's file calls, which throw, as effects that fail with a reason. They are synchronous on purpose: a handful of small
 * files, each shorter than the detour over the thread pool.
 */
import * as Effect from "effect/Effect"
import { DatabaseError } from "./DatabaseError.ts"
import { DiskFull, NotWritable, PathProblem } from "./EmbeddedReason.ts"

/** The errno name of a thrown value: `EACCES`, or "" where there is none. */
export const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : ""

const reasonOf = (path: string, cause: unknown) => {
  const text = cause instanceof Error ? cause.message : String(cause)
  switch (codeOf(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new DiskFull({ path, text })
    case "ENOTSUP":
    case "ENOSYS":
    case "EINVAL":
    case "ENOLCK":
      return new PathProblem({ path, text })
    default:
      return new NotWritable({ path, text })
  }
}

export const fromCause = (path: string, cause: unknown): DatabaseError =>
  new DatabaseError({ reason: reasonOf(path, cause) })

/** Runs `f`; what it throws becomes a reason that names `path`. */
export const attempt = <A>(path: string, f: () => A): Effect.Effect<A, DatabaseError> =>
  Effect.try({ try: f, catch: (cause) => fromCause(path, cause) })

/** Runs `f`, or answers undefined where it throws: for looking at things that may be gone the next moment. */
export const orUndefined = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}
