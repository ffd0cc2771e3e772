/** Every failure of the engine's own store: a query that PostgreSQL refused, or a connection that was lost. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  message: Schema.String
}) {}

/** Turns failures of SQL, migrations and decoding into a `StoreError` that names the operation. */
export const during = (operation: string) =>
<A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, StoreError, R> =>
  Effect.mapError(effect, (error) => new StoreError({ operation, message: `${operation}: ${error.message}` }))
