/** Every failure of the engine's own store: a query that PostgreSQL refused, or a connection that was lost. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  message: Schema.String
}) {}

/** What the server itself said: the driver's own message says only that a statement failed. */
const innermost = (error: { readonly message: string }): string => {
  let said = error.message
  for (
    let at: unknown = error;
    Predicate.hasProperty(at, "message");
    at = Predicate.hasProperty(at, "reason") && Predicate.hasProperty(at.reason, "cause")
      ? at.reason.cause
      : Predicate.hasProperty(at, "cause")
      ? at.cause
      : undefined
  ) {
    if (typeof at.message === "string" && at.message !== "") said = at.message
  }
  return said
}

/** Turns failures of SQL, migrations and decoding into a `StoreError` that names the operation. */
export const during = (operation: string) =>
<A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, StoreError, R> =>
  Effect.mapError(effect, (error) => new StoreError({ operation, message: `${operation}: ${innermost(error)}` }))
