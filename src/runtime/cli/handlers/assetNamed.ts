/** The asset that a person named, or a usage error with the name they may have meant. */
import * as Effect from "effect/Effect"
import type * as Asset from "../../asset/Asset.ts"
import { didYouMean } from "../../asset/Suggest.ts"
import type { Application } from "../Application.ts"
import { type Failure, usage } from "../Failure.ts"

export const assetNamed = ({ graph }: Application, name: string): Effect.Effect<Asset.Any, Failure> => {
  const asset = graph.assets.get(name)
  return asset === undefined
    ? Effect.fail(usage(`There is no asset "${name}".${didYouMean(name, graph.names)}`, "barograph asset list"))
    : Effect.succeed(asset)
}
