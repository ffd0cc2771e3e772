/**
 * What is wrong with a set of declarations: one sentence for each mistake, all of them at once.
 *
 * Dependencies are values, so the compiler keeps most of this from happening. What remains is what types do not see:
 * files that import each other, objects changed after they were made, plain JavaScript. Each asset is looked at once and
 * without recursion, so that a circle, a chain longer than the stack, or a getter that answers another asset each time
 * ends in a sentence.
 */
import * as Predicate from "effect/Predicate"
import * as Asset from "./Asset.ts"
import * as Fit from "./Fit.ts"

export interface Found {
  /** Upstream first: every asset stands after its dependencies. Complete only when there are no problems. */
  readonly assets: ReadonlyMap<string, Asset.Any>
  readonly problems: ReadonlyArray<string>
}

const NAME = /^[a-z][a-z0-9_]*$/

/** Far beyond what anybody declares: dependencies that are made anew whenever they are read would never end. */
const MOST = 100_000

type Entries = ReadonlyArray<readonly [dependency: string, value: unknown]>

/** An asset whose dependencies are being looked at. */
interface Frame {
  readonly asset: Asset.Any
  readonly dependencies: Entries
  next: number
}

interface Walk {
  readonly assets: Map<string, Asset.Any>
  readonly problems: Set<string>
  /** Every asset met, by name. */
  readonly byName: Map<string, Asset.Any>
  readonly open: Set<Asset.Any>
  readonly path: Array<Frame>
}

const messageOf = (error: unknown): string =>
  Predicate.hasProperty(error, "message") ? String(error.message) : String(error)

const described = (value: unknown): string =>
  typeof value === "string" ? `"${value}"` : value === undefined || value === null ? `${value}` : `a ${typeof value}`

/** Reading a dependency may run code of the user's: it is read once, and what it throws is a problem. */
const dependenciesOf = (walk: Walk, asset: Asset.Any): Entries => {
  try {
    return Object.entries(asset.dependencies).map(([name, dependency]): readonly [string, unknown] => {
      const upstream: unknown = dependency.asset
      if (Asset.isAsset(upstream)) {
        for (const problem of Fit.problems(asset, name, dependency)) walk.problems.add(problem)
      }
      return [name, upstream]
    })
  } catch (error) {
    walk.problems.add(`The dependencies of "${asset.name}" cannot be read: ${messageOf(error)}.`)
    return []
  }
}

const ownProblem = (asset: Asset.Any): string | undefined => {
  if (typeof asset.name !== "string" || !NAME.test(asset.name)) {
    return `Asset name "${asset.name}" must be lower case letters, digits and "_", beginning with a letter.`
  }
  const { max } = asset.batch
  return Number.isInteger(max) && max > 0
    ? undefined
    : `The batch of "${asset.name}" takes ${max} partitions at most: write a whole number from 1 on.`
}

const enter = (walk: Walk, asset: Asset.Any): void => {
  const own = ownProblem(asset)
  if (own !== undefined) walk.problems.add(own)
  walk.byName.set(asset.name, asset)
  walk.open.add(asset)
  walk.path.push({ asset, dependencies: dependenciesOf(walk, asset), next: 0 })
}

/** `"a" reads "b" reads "a"`; the middle of a long circle is left out. */
const circle = (path: ReadonlyArray<Frame>, back: Asset.Any): string => {
  const names = path.slice(path.findIndex(({ asset }) => asset === back)).map(({ asset }) => `"${asset.name}"`)
  const shown = names.length > 8 ? [...names.slice(0, 4), `${names.length - 7} more`, ...names.slice(-3)] : names
  return `Assets depend on each other in a circle: ${
    [...shown, `"${back.name}"`].join(" reads ")
  }. Take one of these dependencies out.`
}

/** Looks at one asset that was found, by itself or as somebody's dependency. */
const meet = (walk: Walk, value: unknown, where: string): void => {
  if (!Asset.isAsset(value)) {
    walk.problems.add(
      `${where} is ${described(value)}, which is no asset: give one made by Asset.make, ` +
        "and see that files do not import each other's assets in a circle."
    )
    return
  }
  const known = walk.byName.get(value.name)
  if (known === undefined) return enter(walk, value)
  if (known !== value) walk.problems.add(`Two assets are named "${value.name}": rename one of them.`)
  else if (walk.open.has(value)) walk.problems.add(circle(walk.path, value))
}

const follow = (walk: Walk, root: unknown): void => {
  meet(walk, root, "A part of the graph")
  while (walk.path.length > 0) {
    const frame = walk.path.at(-1)!
    const entry = frame.dependencies[frame.next++]
    if (walk.byName.size > MOST) {
      walk.problems.add(
        `There are more than ${MOST.toLocaleString("en")} assets: ` +
          `the dependencies of "${frame.asset.name}" seem to be made anew whenever they are read.`
      )
      return
    }
    if (entry !== undefined) meet(walk, entry[1], `Dependency "${entry[0]}" of "${frame.asset.name}"`)
    else {
      walk.path.pop()
      walk.open.delete(frame.asset)
      walk.assets.set(frame.asset.name, frame.asset)
    }
  }
}

/** The assets that these lead to, and everything that is wrong with them. */
export const collect = (roots: Iterable<unknown>): Found => {
  const walk: Walk = { assets: new Map(), problems: new Set(), byName: new Map(), open: new Set(), path: [] }
  for (const root of roots) if (walk.byName.size <= MOST) follow(walk, root)
  return { assets: walk.assets, problems: [...walk.problems] }
}
