/** The assets of a project and their edges. What contradicts itself is refused here, in sentences: see `Validate`. */
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type * as Asset from "./Asset.ts"
import * as Check from "./Check.ts"
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
  /** Asset name to its checks; assets without one are left out. */
  readonly checks: ReadonlyMap<string, ReadonlyArray<Check.Any>>
  readonly "~services"?: () => R
}

export type Any = AssetGraph<string, unknown>

/** The graph of these assets and everything they depend on, with these checks. Throws `DefinitionError`. */
export const make = <const T extends ReadonlyArray<Check.Root>>(
  ...roots: T
): AssetGraph<Check.AssetOf<T[number]>["name"], Check.Services<T[number]>> => {
  const found = Validate.collect(roots.map(Check.assetOf))
  const { checks, problems: wrongChecks } = Check.collect(roots)
  const problems = [...found.problems, ...wrongChecks]
  if (problems.length > 0) throw new DefinitionError({ problems })
  const { assets } = found
  const downstream = new Map<string, Array<string>>()
  for (const name of assets.keys()) downstream.set(name, [])
  for (const asset of assets.values()) {
    for (const dependency of Object.values(asset.dependencies)) downstream.get(dependency.asset.name)!.push(asset.name)
  }
  const names = [...assets.keys()] as ReadonlyArray<Check.AssetOf<T[number]>["name"]>
  return { assets, names, downstream, checks }
}

/** The same graph with every asset changed. What `change` gets reads the changed ones; checks ask about them. */
export const mapAssets = <Name extends string, R>(
  self: AssetGraph<Name, R>,
  change: (asset: Asset.Any) => Asset.Any
): AssetGraph<Name, R> => {
  const changed = new Map<string, Asset.Any>()
  for (const asset of self.assets.values()) {
    const dependencies = Record.map(asset.dependencies, (one) => ({ ...one, asset: changed.get(one.asset.name)! }))
    changed.set(asset.name, change({ ...asset, dependencies }))
  }
  const checks = [...self.checks.values()].flat().map((check) => ({ ...check, asset: changed.get(check.asset.name)! }))
  return make(...changed.values(), ...checks) as unknown as AssetGraph<Name, R>
}
