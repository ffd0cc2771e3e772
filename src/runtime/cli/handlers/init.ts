import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
export const init = (_input: { readonly directory: string; readonly barograph: Option.Option<string> }) => Effect.void
