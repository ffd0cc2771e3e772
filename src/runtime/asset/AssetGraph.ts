/** The assets of a project and their edges. What contradicts itself is refused here, in sentences: see `Validate`. */
import * as Schema from "effect/Schema"
import type * as Asset from "./Asset.ts"
import * as Validate from "./Validate.ts"

/** The definitions contradict each other; each problem is a sentence that says how to mend it. */
export class DefinitionError extends Schema.TaggedError<DefinitionError>()("DefinitionError", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

export interface AssetGraph<out Name extends string, out R> {
  /** Upstream first: every asset stands after its dependencies. */
  readonly assets: ReadonlyMap<string, Asset.Any>
  readonly names: ReadonlyArray<Name>
  readonly downstream: ReadonlyMap<string, ReadonlyArray<string>>
  readonly "~services"?: () => R
}

export type Any = AssetGraph<string, unknown>

/** The graph of these assets and everything they depend on. Throws `DefinitionError`. */
export const make = <const T extends ReadonlyArray<Asset.Any>>(
  ...roots: T
): AssetGraph<T[number]["name"], Asset.Services<T[number]>> => {
  const { assets, problems } = Validate.collect(roots)
  if (problems.length > 0) throw new DefinitionError({ problems })
  const downstream = new Map<string, Array<string>>()
  for (const name of assets.keys()) downstream.set(name, [])
  for (const asset of assets.values()) {
    for (const dependency of Object.values(asset.dependencies)) downstream.get(dependency.asset.name)!.push(asset.name)
  }
  return { assets, names: [...assets.keys()] as ReadonlyArray<T[number]["name"]>, downstream }
}
