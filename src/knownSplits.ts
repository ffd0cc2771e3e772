/** What the engine remembers of a symbol's splits. A part of the composition. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { corporateActions, KnownActions } from "./assets/corporateActions.ts"
import { KnownSplits } from "./assets/KnownSplits.ts"
import * as PartitionKey from "./runtime/partition/PartitionKey.ts"
import { MaterializationStore } from "./runtime/store/MaterializationStore.ts"

const decode = Schema.decodeUnknownEffect(KnownActions)

export const layer: Layer.Layer<never, never, MaterializationStore> = Layer.effect(
  KnownSplits,
  Effect.map(MaterializationStore, (store) => ({
    of: Effect.fnUntraced(function*(symbol: string) {
      const partition = PartitionKey.toText({ symbol })
      const states = yield* store.states(new Map([[corporateActions.name, [partition]]]))
      const state = states.get(corporateActions.name)?.get(partition)
      return state?.latest === undefined ? [] : (yield* decode(state.output)).splits
    })
  }))
)
