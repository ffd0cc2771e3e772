/**
 * What a project exports from its definitions file: the graph, the layers that its assets need, and how to run it. The
 * engine's own stores are not part of it: they come from the configuration.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Project from "../automation/Project.ts"
import * as Sensor from "../automation/Sensor.ts"
import type { Member } from "../partition/Partitions.ts"
import type * as Cost from "../plan/Cost.ts"
import type * as AssetGraph from "./AssetGraph.ts"
import * as Validate from "./Validate.ts"

const TypeId = "~barograph/Definitions" as const

/** Dynamic sets with their members, in order. A member without a lifetime may be its bare value. */
export interface Members {
  readonly [set: string]: ReadonlyArray<string | Member>
}

export interface Definitions<out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly graph: AssetGraph.AssetGraph<string, R>
  /** Gives what the assets need; checked where it is made. */
  readonly layer: Layer.Layer<unknown, unknown>
  readonly members: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Member> }, unknown>
  readonly pools: { readonly [pool: string]: Cost.PoolLimit }
  readonly concurrency: number | undefined
  readonly notices: ReadonlyArray<string>
  readonly upstreamErrors: ReadonlyArray<string>
  readonly automations: ReadonlyArray<Project.Automation<R>>
}

export interface Options<R> {
  readonly graph: AssetGraph.AssetGraph<string, R>
  /**
   * Members of the dynamic partition sets, or an effect that finds them out before each command. A set that is listed has
   * these and no others: `partition add` and sensors add to sets that are not listed.
   */
  readonly members?: Members | Effect.Effect<Members, unknown>
  /**
   * How many calls of the assets that name a pool run at a time, in all processes together, and what its quota allows,
   * for `--plan` to tell. A pool that is not listed has no limit.
   */
  readonly pools?: { readonly [pool: string]: number | Cost.PoolLimit }
  /** Steps at a time; `BAROGRAPH_CONCURRENCY` or 4 when left out. */
  readonly concurrency?: number
  /** Said before work begins, one line each. */
  readonly notices?: ReadonlyArray<string>
  /** Tags of errors that lie with the outer world: a run that fails by these alone exits with 4. */
  readonly upstreamErrors?: ReadonlyArray<string>
  /** What a daemon does by itself: schedules and sensors. */
  readonly automations?: ReadonlyArray<Project.Automation<R>>
}

/** Needed as soon as one asset needs a service. */
type LayerOf<R> = [R] extends [never] ? { readonly layer?: Layer.Layer<never, unknown> }
  : { readonly layer: Layer.Layer<NoInfer<R>, unknown> }

const memberOf = (member: string | Member): Member => typeof member === "string" ? { value: member } : member

/** Every member with its lifetime, if it has one. */
export const membersOf = (given: Members): { readonly [set: string]: ReadonlyArray<Member> } =>
  Object.fromEntries(Object.entries(given).map(([set, members]) => [set, members.map(memberOf)]))

/**
 * The definitions of a project.
 *
 * When to use: as the default export of the file that `--definitions` names. A graph whose assets need no services may
 * be exported as it is. A missing layer does not compile.
 */
export const make = <R>(options: Options<R> & LayerOf<R>): Definitions<R> => {
  const given: Options<R> & { readonly layer?: Layer.Layer<never, unknown> } = options
  const listed = given.members ?? {}
  const members = Effect.isEffect(listed) ? Effect.map(listed, membersOf) : Effect.succeed(membersOf(listed))
  return {
    [TypeId]: TypeId,
    graph: given.graph,
    layer: (given.layer ?? Layer.empty) as Layer.Layer<unknown, unknown>,
    members,
    pools: Record.map(given.pools ?? {}, (limit) => typeof limit === "number" ? { slots: limit } : limit),
    concurrency: given.concurrency,
    notices: given.notices ?? [],
    upstreamErrors: given.upstreamErrors ?? [],
    automations: (given.automations ?? []).map((one) => one._tag === "Sensor" ? Sensor.besides(one, members) : one)
  }
}

const isGraph = (value: unknown): value is AssetGraph.Any =>
  Predicate.hasProperty(value, "assets") && value.assets instanceof Map &&
  Predicate.hasProperty(value, "downstream") && value.downstream instanceof Map

export const isDefinitions = <R>(value: Definitions<R> | AssetGraph.AssetGraph<string, R>): value is Definitions<R> =>
  Predicate.hasProperty(value, TypeId)

/** The definitions that a module exports, be they whole or a mere graph; undefined when they are neither. */
export const fromExport = (value: unknown): Definitions | undefined => {
  if (Predicate.hasProperty(value, TypeId)) return value as unknown as Definitions
  return isGraph(value) ? make<never>({ graph: value as AssetGraph.AssetGraph<string, never> }) : undefined
}

const atLeastOne = (what: string, value: number): ReadonlyArray<string> =>
  Number.isInteger(value) && value > 0 ? [] : [`${what} is ${value}: write a whole number from 1 on.`]

/** What is wrong with them, a sentence each. */
export const problems = (self: Definitions): ReadonlyArray<string> => [
  ...(isGraph(self.graph)
    ? [...Validate.collect(self.graph.assets.values()).problems, ...Project.problems(self.graph, self.automations)]
    : ["The graph of the definitions is no graph: make it with AssetGraph.make."]),
  ...(self.concurrency === undefined ? [] : atLeastOne("The concurrency", self.concurrency)),
  ...Object.entries(self.pools).flatMap(([pool, limit]) => atLeastOne(`Pool "${pool}"`, limit.slots))
]
