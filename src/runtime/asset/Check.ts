/**
 * A check of an asset: a question about one partition that is asked right after it was materialized, or later by
 * command. Declared on its own and typed by its asset, whose recorded output it is handed.
 *
 * Of severity `error` or `warn`. A check of severity `error` that is `blocking` keeps what reads the partition from being
 * materialized while it is not passed: the partition counts as failed, and the next run takes it up again. Any other
 * check that is not passed is told and kept, and leaves the run as it is.
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Partitions from "../partition/Partitions.ts"
import type * as Asset from "./Asset.ts"
import type { Metadata } from "./Metadata.ts"

export type Severity = "error" | "warn"

export interface Result {
  readonly passed: boolean
  /** Why it is so, for a person. */
  readonly description?: string | undefined
  readonly metadata?: Metadata | undefined
}

export interface Check<out A extends Asset.Any, out R> {
  readonly _tag: "Check"
  readonly name: string
  readonly asset: A
  readonly severity: Severity
  /** True for severity `error` only. */
  readonly blocking: boolean
  readonly description: string
  /** A check that takes longer is not passed. */
  readonly timeout: Duration.Duration
  readonly run: (context: Context) => Effect.Effect<Result, unknown, unknown>
  /** The type level: what the check and its asset need. */
  readonly "~services"?: () => R
}

/** The partition's key, and what its latest materialization recorded. */
interface Context {
  readonly partition: unknown
  readonly output: unknown
}

export type Any = Check<Asset.Any, unknown>

export interface Options<A extends Asset.Any> {
  readonly asset: A
  /** `error` when left out. */
  readonly severity?: Severity
  readonly blocking?: boolean
  readonly description?: string
  /** One minute when left out. */
  readonly timeout?: Duration.Input
}

type CheckBlocking<O> = O extends { readonly severity: "warn"; readonly blocking: true }
  ? { readonly blocking: { readonly error: "a check of severity warn blocks nothing: leave blocking out" } }
  : unknown

type Typed<A> = { readonly partition: Partitions.Key<Asset.Dimensions<A>>; readonly output: Asset.Output<A> }

/**
 * Declares a check; name it among the roots of `AssetGraph.make`.
 *
 * When to use: for what must hold of the data itself. What is wrong before anything is written belongs into the asset's
 * own effect, which can still refuse.
 */
export const make = <A extends Asset.Any, const O extends Omit<Options<A>, "asset">, E, R>(
  name: string,
  options: { readonly asset: A } & O & CheckBlocking<O>,
  run: (context: Typed<A>) => Effect.Effect<Result, E, R>
): Check<A, Exclude<R, Scope.Scope> | Asset.Services<A>> => {
  const given: Options<A> = options
  const severity = given.severity ?? "error"
  return {
    _tag: "Check",
    name,
    asset: given.asset,
    severity,
    blocking: severity === "error" && given.blocking === true,
    description: given.description ?? "",
    timeout: Duration.fromInputUnsafe(given.timeout ?? "1 minute"),
    run: run as Any["run"]
  }
}

/** A root of a graph: an asset, or a check, which brings its asset along. */
export type Root = Asset.Any | Any

export type AssetOf<T> = T extends Check<infer A, unknown> ? A : T extends Asset.Any ? T : never

export type Services<T> = T extends Check<Asset.Any, infer R> ? R : Asset.Services<T>

export const isCheck = (root: Root): root is Any => "_tag" in root && root._tag === "Check"

export const assetOf = (root: Root): Asset.Any => isCheck(root) ? root.asset : root

const NAME = /^[a-z][a-z0-9_]*$/

export interface Collected {
  /** Asset name to its checks, in the order of the roots. */
  readonly checks: ReadonlyMap<string, ReadonlyArray<Any>>
  /** A sentence for each mistake. */
  readonly problems: ReadonlyArray<string>
}

/** The checks among the roots of a graph. */
export const collect = (roots: Iterable<Root>): Collected => {
  const checks = new Map<string, Array<Any>>()
  const problems: Array<string> = []
  for (const check of new Set(roots)) {
    if (!isCheck(check)) continue
    const own = checks.get(check.asset.name) ?? []
    if (!NAME.test(check.name)) {
      problems.push(
        `Check name "${check.name}" must be lower case letters, digits and "_", beginning with a letter.`
      )
    }
    if (own.some(({ name }) => name === check.name)) {
      problems.push(`Two checks of "${check.asset.name}" are named "${check.name}": rename one of them.`)
    }
    checks.set(check.asset.name, [...own, check])
  }
  return { checks, problems }
}
