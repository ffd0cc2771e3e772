/**
 * The splits that are known without asking a vendor: those of the latest materialization of `corporate_actions`, none
 * where it has none. A call of the day's quota is spent on splits only by whoever asks for that asset.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Split } from "../layers/bars/Adjustment.ts"

export interface KnownSplits {
  readonly of: (symbol: string) => Effect.Effect<ReadonlyArray<Split>, unknown>
}

export const KnownSplits = Context.Reference<KnownSplits>("barograph/assets/KnownSplits", {
  defaultValue: () => ({ of: () => Effect.succeed([]) })
})

/** New shares for an old one by all splits after one session, up to another and on its day. */
export const factorBetween = (splits: ReadonlyArray<Split>, after: string, until: string): number =>
  splits.reduce((product, { date, factor }) => date > after && date <= until ? product * factor : product, 1)
