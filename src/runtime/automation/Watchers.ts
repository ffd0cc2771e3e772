/** Who looks at what: which conditions are to be evaluated when an asset changed, and what each has to be shown. Pure. */
import type * as Asset from "../asset/Asset.ts"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import * as Condition from "../asset/Condition.ts"

export interface Watchers {
  /** Assets with a condition, upstream first. */
  readonly names: ReadonlyArray<string>
  readonly conditionOf: (asset: string) => Condition.Condition
  /** What the condition of an asset looks at, itself among them. */
  readonly looksAt: (asset: string) => ReadonlySet<string>
  /** Of these it asks whether they are outdated. */
  readonly judges: (asset: string) => ReadonlySet<string>
  /** The assets whose conditions look at this one, itself among them when it has one. */
  readonly watchers: (asset: string) => ReadonlyArray<string>
  /** These names, upstream first. */
  readonly ordered: (names: Iterable<string>) => ReadonlyArray<string>
}

const upstreamOf = (asset: Asset.Any): ReadonlyArray<Asset.Any> =>
  Object.values(asset.dependencies).map((dependency) => dependency.asset)

const within = (asset: Asset.Any, edges: number, found: Set<string>): Set<string> => {
  let level = new Set([asset])
  for (let at = 0; at <= edges && level.size > 0; at++) {
    for (const { name } of level) found.add(name)
    level = new Set([...level].flatMap(upstreamOf))
  }
  return found
}

const judgedBy = (condition: Condition.Condition, asset: Asset.Any, found: Set<string>): Set<string> => {
  if (condition._tag === "outdated") found.add(asset.name)
  const places = condition._tag === "anyDeps" || condition._tag === "allDeps" ? upstreamOf(asset) : [asset]
  for (const part of Condition.parts(condition)) for (const place of places) judgedBy(part, place, found)
  return found
}

export const make = (graph: AssetGraph.Any): Watchers => {
  const positions = new Map([...graph.assets.keys()].map((name, at) => [name, at]))
  const own = [...graph.assets.values()].flatMap((asset) =>
    asset.automation === undefined ? [] : [{ asset, condition: asset.automation }]
  )
  const byName = new Map(own.map(({ asset, condition }) => [asset.name, {
    condition,
    looksAt: within(asset, Condition.reach(condition), new Set()),
    judges: judgedBy(condition, asset, new Set())
  }]))
  const watchers = new Map<string, Array<string>>()
  for (const [name, { looksAt }] of byName) {
    for (const seen of looksAt) {
      const known = watchers.get(seen)
      if (known === undefined) watchers.set(seen, [name])
      else known.push(name)
    }
  }
  return {
    names: [...byName.keys()],
    conditionOf: (asset) => byName.get(asset)!.condition,
    looksAt: (asset) => byName.get(asset)!.looksAt,
    judges: (asset) => byName.get(asset)!.judges,
    watchers: (asset) => watchers.get(asset) ?? [],
    ordered: (names) => [...new Set(names)].sort((a, b) => positions.get(a)! - positions.get(b)!)
  }
}
