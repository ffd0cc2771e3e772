/**
 * The assets of a project and their edges. Dependencies are values, so a graph cannot have a cycle or an unknown
 * dependency; duplicate names are refused here (the type-level check would be quadratic).
 */
import * as Schema from "effect/Schema"
import * as MappingProblem from "../partition/MappingProblem.ts"
import type * as Asset from "./Asset.ts"

/** The definitions contradict each other; the message says which and how to mend it. */
export class DefinitionError extends Schema.TaggedError<DefinitionError>()("DefinitionError", {
  message: Schema.String
}) {}

export interface AssetGraph<out Name extends string, out R> {
  /** Upstream first: every asset stands after its dependencies. */
  readonly assets: ReadonlyMap<string, Asset.Any>
  readonly names: ReadonlyArray<Name>
  readonly downstream: ReadonlyMap<string, ReadonlyArray<string>>
  readonly "~services"?: () => R
}

export type Any = AssetGraph<string, unknown>

const NAME = /^[a-z][a-z0-9_]*$/

/** False when the asset is there already. Throws when another asset has its name, or when the name is no name. */
const isNew = (assets: ReadonlyMap<string, Asset.Any>, asset: Asset.Any): boolean => {
  const present = assets.get(asset.name)
  if (present !== undefined && present !== asset) {
    throw new DefinitionError({ message: `Two assets are named "${asset.name}": rename one of them.` })
  }
  if (!NAME.test(asset.name)) {
    throw new DefinitionError({
      message: `Asset name "${asset.name}" must be lower case letters, digits and "_", beginning with a letter.`
    })
  }
  return present === undefined
}

/** Throws when a dependency is mapped in a way that cannot be. */
const checkMappings = (asset: Asset.Any): void => {
  for (const { asset: upstream, mapping } of Object.values(asset.dependencies)) {
    const found = MappingProblem.problem(mapping, upstream.dimensions, asset.dimensions)
    if (found !== undefined) {
      throw new DefinitionError({ message: `"${asset.name}" cannot read "${upstream.name}": ${found}.` })
    }
  }
}

/** Depth first without recursion: a chain may be longer than the stack is deep. */
const add = (assets: Map<string, Asset.Any>, root: Asset.Any): void => {
  const path = [root]
  while (path.length > 0) {
    const asset = path.at(-1)!
    const missing = Object.values(asset.dependencies).find((dependency) => isNew(assets, dependency.asset))
    if (missing !== undefined) path.push(missing.asset)
    else {
      if (isNew(assets, asset)) {
        checkMappings(asset)
        assets.set(asset.name, asset)
      }
      path.pop()
    }
  }
}

/** The graph of these assets and everything they depend on. Throws `DefinitionError`. */
export const make = <const T extends ReadonlyArray<Asset.Any>>(
  ...roots: T
): AssetGraph<T[number]["name"], Asset.Services<T[number]>> => {
  const assets = new Map<string, Asset.Any>()
  for (const asset of roots) add(assets, asset)
  const downstream = new Map<string, Array<string>>()
  for (const name of assets.keys()) downstream.set(name, [])
  for (const asset of assets.values()) {
    for (const dependency of Object.values(asset.dependencies)) downstream.get(dependency.asset.name)!.push(asset.name)
  }
  return { assets, names: [...assets.keys()] as ReadonlyArray<T[number]["name"]>, downstream }
}
