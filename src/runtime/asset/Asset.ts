/**
 * What a person declares: a named, typed value with typed dependencies whose materialization is an Effect program.
 *
 * What moves along an edge is the small output that a materialization records, not the data. The compiler checks
 * dependencies, their partitions and the services; `make` infers one options type `O` and derives the rest, because
 * that is what gives `Effect.fn(function*(context) …)` its parameter types.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { PartitionKey } from "../partition/PartitionKey.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import type * as Partitions from "../partition/Partitions.ts"
import type * as Condition from "./Condition.ts"
import type * as Freshness from "./Freshness.ts"

const TypeId = "~barograph/Asset" as const

/** The type level of an asset; none of it exists at run time. */
export interface Variance<out Output, out D extends Partitions.Dimensions, out R> {
  readonly output: () => Output
  readonly dimensions: () => D
  readonly services: () => R
}

/** One edge of the graph at run time. */
export interface Dependency {
  readonly asset: Any
  readonly mapping: PartitionMapping.PartitionMapping
}

/** How many partitions one call may take, and which of them may share a call (those with the same group text). */
export interface Batch {
  readonly max: number
  readonly by?: ((key: never) => string) | undefined
}

/** The outputs of the dependencies under their names, and the partition. */
export type Item = { readonly [name: string]: unknown }

export interface Asset<out Name extends string, out Output, out D extends Partitions.Dimensions, out R> {
  readonly [TypeId]: Variance<Output, D, R>
  readonly name: Name
  readonly dependencies: { readonly [name: string]: Dependency }
  readonly dimensions: Partitions.Dimensions
  readonly output: Schema.Codec<unknown, unknown> | undefined
  /** The field of the output that is its content hash. */
  readonly dataVersion: string | undefined
  readonly codeVersion: Effect.Effect<string, unknown, unknown>
  readonly description: string
  readonly group: string
  readonly kinds: ReadonlyArray<string>
  readonly tags: { readonly [tag: string]: string }
  readonly owners: ReadonlyArray<string>
  readonly retry: Schedule.Schedule<unknown, never> | undefined
  readonly timeout: Duration.Input | undefined
  readonly pool: string | undefined
  readonly priority: number
  readonly batch: { readonly max: number; readonly by: ((key: PartitionKey) => string) | undefined }
  /** A value that somebody else makes: it is read, never materialized. */
  readonly external: boolean
  /** Milliseconds after which a source of somebody else's is looked at again; undefined for what is materialized. */
  readonly observedEvery: number | undefined
  /** How recent its latest success should be. */
  readonly freshness: Freshness.Policy | undefined
  /** When the daemon asks for it by itself. */
  readonly automation: Condition.Condition | undefined
  /** One call for a batch; answers in the order of the items. */
  readonly materialize: (
    items: ReadonlyArray<Item>
  ) => Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, unknown, unknown>
}

export type Any = Asset<string, unknown, Partitions.Dimensions, unknown>

export const isAsset = (value: unknown): value is Any => Predicate.hasProperty(value, TypeId)

export type Output<A> = A extends Asset<string, infer O, Partitions.Dimensions, unknown> ? O : never
export type Dimensions<A> = A extends Asset<string, unknown, infer D, unknown> ? D : never
export type Services<A> = A extends Asset<string, unknown, Partitions.Dimensions, infer R> ? R : never

/** A dependency with a mapping; made by `mapped`. */
export interface Mapped<out A extends Any, out M> {
  readonly _tag: "Mapped"
  readonly asset: A
  readonly mapping: PartitionMapping.PartitionMapping
  /** The type level of the mapping; it does not exist at run time. */
  readonly "~mapping": () => M
}

/** What can be said of anything in the graph. */
interface Described {
  readonly partitions?: Partitions.Dimensions
  readonly description?: string
  readonly group?: string
  readonly kinds?: ReadonlyArray<string>
  readonly tags?: { readonly [tag: string]: string }
  readonly owners?: ReadonlyArray<string>
}

/** How calls to the outer world are made. */
interface Called {
  /** Change it when the same inputs would give another output. An effect may read it from a service. */
  readonly codeVersion?: string | Effect.Effect<string, unknown, unknown>
  /** When a failed call is tried again. */
  readonly retry?: Schedule.Schedule<unknown, never>
  /** Longest time for one try. */
  readonly timeout?: Duration.Input
  /** Name of the pool whose leases bound how many calls run at a time. */
  readonly pool?: string
  /** Among calls that can be made, those of higher priority go first; 0 when left out. */
  readonly priority?: number
  /** How recent the latest success should be. */
  readonly freshness?: Freshness.Policy
  /** When the daemon asks for partitions by itself: `Condition.eager`, `onCron`, `onMissing`, or one's own. */
  readonly automation?: Condition.Condition
}

export interface Options extends Described, Called {
  readonly deps?: { readonly [name: string]: Any | Mapped<Any, unknown> }
  /** What a materialization records. Outputs are kept as JSON. */
  readonly output?: Schema.Codec<unknown, unknown>
  /** The field of the output that names its content; equal content leaves everything downstream alone. */
  readonly dataVersion?: string
  /** Take several partitions per call; the function then gets `items` and answers one `Result` for each. */
  readonly batch?: Batch
}

type DimensionsOf<O> = O extends { readonly partitions: infer D extends Partitions.Dimensions } ? D : {}
type KeyOf<O> = Partitions.Key<DimensionsOf<O>>
type OutputOf<O> = O extends { readonly output: Schema.Codec<infer A, unknown> } ? A : void

/** What a many-to-one mapping hands over: each upstream partition with its output. */
export interface UpstreamOutput<D extends Partitions.Dimensions, A> {
  readonly partition: Partitions.Key<D>
  readonly output: A
}

/** The entries of a mapping that give exactly one value. */
type SingleEntry =
  | PartitionMapping.From
  | PartitionMapping.Containing
  | PartitionMapping.Last
  | PartitionMapping.Specific<readonly [string]>
type MappedInput<A, M> = Exclude<M[keyof M], SingleEntry> extends never ? Output<A>
  : ReadonlyArray<UpstreamOutput<Dimensions<A>, Output<A>>>
type InputOf<D> = D extends Mapped<infer A, infer M> ? MappedInput<A, M> : Output<D>
type InputsOf<O> = O extends { readonly deps: infer D } ? { readonly [K in keyof D]: InputOf<D[K]> } : {}
type ItemOf<O> = { readonly partition: KeyOf<O> } & InputsOf<O>

export type ContextOf<O> = O extends { readonly batch: Batch } ? { readonly items: ReadonlyArray<ItemOf<O>> }
  : ItemOf<O>
type AnswerOf<O> = O extends { readonly batch: Batch } ? ReadonlyArray<Result.Result<OutputOf<O>, unknown>>
  : OutputOf<O>

/** Two dimensions are the same when they are of one kind and, if dynamic, of one set. */
type Kind<D> = D extends Partitions.DynamicDimension<infer Set> ? `dynamic set ${Set}`
  : D extends Partitions.TimeDimension<infer Grain> ? `time windows ${Grain}`
  : D extends { readonly _tag: infer T extends string } ? T
  : never

type Clash<U, D> = {
  [K in keyof U]: K extends keyof D ? Kind<U[K]> extends Kind<D[K]> ? never : K & string : K & string
}[keyof U]

type NameOf<A> = A extends Asset<infer N, unknown, Partitions.Dimensions, unknown> ? N : never

/** An asset whose dimensions are not known to the compiler is checked by nobody. */
type CheckPlain<A, D> = string extends keyof Dimensions<A> ? A
  : [Clash<Dimensions<A>, D>] extends [never] ? A
  : `"${NameOf<A>}" is partitioned by "${Clash<
    Dimensions<A>,
    D
  >}", this asset is not: say with Asset.mapped(...) where "${Clash<
    Dimensions<A>,
    D
  >}" comes from`

type Unknown<M, D> = {
  [K in keyof M]: M[K] extends { readonly dimension: infer N extends string } ? N extends keyof D ? never : N : never
}[keyof M]

type CheckMapped<A, M, D> = [Unknown<M, D>] extends [never] ? Mapped<Any, unknown>
  : `the mapping of "${NameOf<A>}" reads dimension "${Unknown<M, D>}", which this asset does not have`

type CheckDeps<D, Own> = {
  readonly [K in keyof D]: K extends "partition" | "items" ? `"${K}" is taken: give the dependency another name`
    : D[K] extends Mapped<infer A, infer M> ? CheckMapped<A, M, Own>
    : D[K] extends Any ? CheckPlain<D[K], Own>
    : never
}

type CheckDataVersion<O> = O extends { readonly dataVersion: infer V } ? {
    readonly dataVersion: V extends keyof OutputOf<O> ? V
      : { readonly error: `the output has no field "${V & string}"` }
  }
  : unknown

/** Resolves to sentences where the options contradict each other. */
export type Check<O> =
  & (O extends { readonly deps: infer D } ? { readonly deps: CheckDeps<D, DimensionsOf<O>> } : unknown)
  & CheckDataVersion<O>

/** A graph needs what its assets need, however deep they lie. */
type DepServices<O> = O extends { readonly deps: infer D }
  ? { [K in keyof D]: D[K] extends Mapped<infer A, unknown> ? Services<A> : Services<D[K]> }[keyof D]
  : never

type CodeServices<O> = O extends { readonly codeVersion: Effect.Effect<string, unknown, infer R> } ? R : never

/** A dependency whose partitions are found by a mapping: one entry per dimension of the upstream asset. */
export const mapped = <
  A extends Any,
  const M extends { readonly [K in keyof Dimensions<A>]: PartitionMapping.DimensionMapping }
>(asset: A, mapping: M): Mapped<A, M> => ({
  _tag: "Mapped",
  asset,
  mapping: mapping as PartitionMapping.PartitionMapping,
  "~mapping": undefined as never
})

const isMapped = (dep: Any | Mapped<Any, unknown>): dep is Mapped<Any, unknown> => Predicate.isTagged(dep, "Mapped")

/** What is no asset, as with files that import each other, is kept: `Validate` has the sentence for it. */
const dependencyOf = (dep: Any | Mapped<Any, unknown>): Dependency =>
  isMapped(dep)
    ? { asset: dep.asset, mapping: dep.mapping }
    : { asset: dep, mapping: isAsset(dep) ? PartitionMapping.identity(dep.dimensions) : {} }

/** One object, so that all assets without partitions share one space. */
const NO_PARTITIONS: Partitions.Dimensions = {}

type Compute = (context: unknown) => Effect.Effect<unknown, unknown, unknown>

/** An asset without `batch` is called with one item and answers its output. */
const single = (compute: Compute): Any["materialize"] => (items) =>
  Effect.map(compute(items[0]), (output) => [Result.succeed(output)])

const batched = (compute: Compute): Any["materialize"] => (items) =>
  compute({ items }) as Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, unknown, unknown>

type Base = Omit<Any, typeof TypeId | "name" | "materialize">

/** An asset that says nothing but what is in the options. */
const base = (given: Options): Base => {
  const version = given.codeVersion ?? "1"
  return {
    dependencies: Object.fromEntries(
      Object.entries(given.deps ?? {}).map(([key, dep]) => [key, dependencyOf(dep)])
    ),
    dimensions: given.partitions ?? NO_PARTITIONS,
    output: given.output,
    dataVersion: given.dataVersion,
    codeVersion: typeof version === "string" ? Effect.succeed(version) : version,
    description: given.description ?? "",
    group: given.group ?? "default",
    kinds: given.kinds ?? [],
    tags: given.tags ?? {},
    owners: given.owners ?? [],
    retry: given.retry,
    timeout: given.timeout,
    pool: given.pool,
    priority: given.priority ?? 0,
    batch: {
      max: given.batch?.max ?? 1,
      by: given.batch?.by as ((key: PartitionKey) => string) | undefined
    },
    external: false,
    observedEvery: undefined,
    freshness: given.freshness,
    automation: given.automation
  }
}

/**
 * Declares an asset.
 *
 * When to use: for every value that is kept. `materialize` must be idempotent: it runs at least once.
 */
export const make = <const Name extends string, const O extends Options, E, R>(
  name: Name,
  options: O & Check<O>,
  materialize: (context: ContextOf<O>) => Effect.Effect<AnswerOf<O>, E, R>
): Asset<Name, OutputOf<O>, DimensionsOf<O>, Exclude<R, Scope.Scope> | CodeServices<O> | DepServices<O>> => ({
  [TypeId]: undefined as never,
  name,
  ...base(options),
  materialize: (options as Options).batch === undefined
    ? single(materialize as Compute)
    : batched(materialize as Compute)
})

/**
 * Declares a value that somebody else makes, of which nothing is known but that it is there.
 *
 * When to use: to show in the graph where data comes from. It is never planned and never missing; those that read it are
 * handed `undefined`, and get at it by a service of their own. A value whose changes matter is `observed`.
 */
export const external = <const Name extends string, const O extends Described>(
  name: Name,
  options: O
): Asset<Name, undefined, DimensionsOf<O>, never> => ({
  [TypeId]: undefined as never,
  name,
  ...base(options),
  external: true,
  materialize: () => Effect.die(`"${name}" is external: it is not materialized here`)
})

/** What is known of an observed value, and what those that read it are handed. */
const Observation = Schema.Struct({ dataVersion: Schema.String })

export interface ObservedOptions extends Described, Called {
  /** An observation that is older is made again when the asset, or something that reads it, is asked for. */
  readonly every: Duration.Input
}

/**
 * Declares a value that somebody else makes and that changes: `observe` answers the data version of a partition, a text
 * that is equal as long as the value is.
 *
 * When to use: for a file, a table or an answer of somebody else's that can be looked at cheaply (an ETag, a modification
 * time, a count). An equal version leaves everything downstream alone. A failing observation is a failure like any other.
 */
export const observed = <const Name extends string, const O extends ObservedOptions, E, R>(
  name: Name,
  options: O,
  observe: (context: { readonly partition: KeyOf<O> }) => Effect.Effect<string, E, R>
): Asset<
  Name,
  typeof Observation.Type,
  DimensionsOf<O>,
  Exclude<R, Scope.Scope> | CodeServices<O>
> => ({
  [TypeId]: undefined as never,
  name,
  ...base({ ...options, output: Observation, dataVersion: "dataVersion" }),
  observedEvery: Duration.toMillis(options.every),
  materialize: single((context) =>
    Effect.map(observe(context as { readonly partition: KeyOf<O> }), (dataVersion) => ({ dataVersion }))
  )
})
