/**
 * Small random projects for laws of plans: a few assets over mixed dimensions and mappings, and a world that changes
 * under them. Everything follows from small numbers, so that a failing case shrinks.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Asset from "../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../src/runtime/asset/AssetGraph.ts"
import * as PartitionKey from "../../src/runtime/partition/PartitionKey.ts"
import * as PartitionMapping from "../../src/runtime/partition/PartitionMapping.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"

/** 2024-01-06 is a Saturday: a week and a month are open. */
export const BEGIN = Date.parse("2024-01-06T06:00:00Z")

const member = Partitions.dynamic("members")
const day = Partitions.daily({ start: "2024-01-01", exclude: ["2024-01-03"] })
const evening = Partitions.daily({ start: "2024-01-01", zone: "America/New_York", hourOffset: 18 })
const week = Partitions.weekly({ start: "2024-01-01", endOffset: 1 })
const letter = Partitions.statics(["a", "b", "c"])

const SHAPES: ReadonlyArray<Partitions.Dimensions> = [
  { member, day },
  { member, week },
  { day },
  { week },
  {},
  { letter },
  { member },
  { letter, member },
  { evening, member }
]

const { all, containing, custom, from, last, listed, overlapping, specific } = PartitionMapping

const entries = (name: string, own: Partitions.Dimensions): ReadonlyArray<PartitionMapping.DimensionMapping> => {
  const times = ["day", "evening", "week"].filter((one) => one in own)
  switch (name) {
    case "member":
      return "member" in own ? [from("member"), all, last] : [all, last, specific("m1"), specific("m1", "m2")]
    case "letter":
      return "letter" in own
        ? [from("letter"), all, listed("letter", { a: ["b", "c"], b: ["a"] }), custom("letter", "1", (text) => [text])]
        : [all, specific("b"), last]
    default:
      return times.length === 0 ? [all, last] : [
        ...times.flatMap((one) => [
          overlapping(one),
          overlapping(one, { startOffset: -2, missing: "skip" }),
          overlapping(one, { missing: "skip" }),
          containing(one)
        ]),
        last,
        ...(name in own ? [from(name)] : [])
      ]
  }
}

const pick = <A>(from: ReadonlyArray<A>, at: number): A => from[at % from.length]!

const mappingOf = (up: Partitions.Dimensions, own: Partitions.Dimensions, choice: number) =>
  Object.fromEntries(
    Object.keys(up).map((name, level) => [name, pick(entries(name, own), Math.floor(choice / 7 ** level))])
  )

const small = (most: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: most }))

export const Declared = Schema.Struct({
  shape: small(SHAPES.length - 1),
  /** Up to two earlier assets that it reads. */
  reads: small(8),
  mapping: small(200),
  /** Whether it names its content, and how many partitions a call takes. */
  kind: small(3)
})
export type Declared = typeof Declared.Type

/** What the assets see when they are called. */
export interface World {
  readonly content: Map<string, number>
  readonly failing: Set<string>
  readonly code: Map<string, number>
  /** Assets that have one more dependency than at first. */
  readonly extended: Set<number>
  /** Calls wait for it while it is there. */
  gate: Deferred.Deferred<void> | undefined
  /** Every call: asset, partition. */
  readonly calls: Array<string>
}

export const makeWorld = (): World => ({
  content: new Map(),
  failing: new Set(),
  code: new Map(),
  extended: new Set(),
  gate: undefined,
  calls: []
})

const Output = Schema.Struct({ v: Schema.String })

const call = (world: World, name: string, parity: boolean, item: Asset.Item) => {
  const text = PartitionKey.toText(item["partition"] as PartitionKey.PartitionKey)
  const id = `${name}/${text}`
  world.calls.push(id)
  if (world.failing.has(id)) return Result.fail(`${id} is broken`)
  const { partition: _, ...inputs } = item
  const read = JSON.stringify([inputs, world.content.get(id) ?? 0])
  // Often equal to what it was before: a change does not always go on.
  return Result.succeed({ v: parity ? String([...read].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 3) : read })
}

/** Which of the assets before it an asset reads. */
const readsOf = ({ reads }: Declared, at: number, extended: boolean): ReadonlyArray<number> => {
  if (at === 0) return []
  const [first, second] = [reads % at, Math.floor(reads / 3) % at]
  const found = [first, ...(extended || reads % 2 === 1 ? [second] : [])]
  return [...new Set(found)]
}

/** The assets as they are declared in the world as it is; `a0` is upstream of all. */
export const graphOf = (declared: ReadonlyArray<Declared>, world: World) => {
  const assets: Array<Asset.Any> = []
  for (const [at, one] of declared.entries()) {
    const name = `a${at}`
    const partitions = SHAPES[one.shape]!
    const deps = Object.fromEntries(
      readsOf(one, at, world.extended.has(at)).map((upstream) => {
        const { dimensions } = assets[upstream]!
        return [
          `d${upstream}`,
          Asset.mapped(assets[upstream]!, mappingOf(dimensions, partitions, one.mapping) as never)
        ]
      })
    )
    const options = {
      partitions,
      deps,
      output: Output,
      codeVersion: Effect.sync(() => String(world.code.get(name) ?? 0)),
      batch: { max: one.kind < 2 ? 1 : 3 },
      ...(one.kind % 2 === 0 ? { dataVersion: "v" } : {})
    } as const
    assets.push(
      Asset.make(
        name,
        options as {},
        ((context: { readonly items: ReadonlyArray<Asset.Item> }) =>
          Effect.gen(function*() {
            if (world.gate !== undefined) yield* Deferred.await(world.gate)
            return context.items.map((item) => call(world, name, one.kind % 2 === 0, item))
          })) as never
      ) as Asset.Any
    )
  }
  return AssetGraph.make(...assets)
}

/** Every name that a member ever has, with and without a lifetime. */
const MEMBERS: ReadonlyArray<Partitions.Member> = [
  { value: "m1" },
  { value: "m2", from: "2024-01-04" },
  { value: "m3", to: "2024-01-08" },
  { value: "m2" }
]

/** Some of them, in some order, from a number. */
export const membersOf = (choice: number): ReadonlyArray<Partitions.Member> => {
  const chosen = MEMBERS.filter((_, at) => (choice >> at) % 2 === 1)
  const unique = chosen.filter(({ value }, at) => chosen.findIndex((other) => other.value === value) === at)
  return choice % 3 === 0 ? unique.reverse() : unique
}
