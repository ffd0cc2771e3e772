/** `asset check`: asks checks about what is materialized, without materializing. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Asset from "../../asset/Asset.ts"
import type * as Check from "../../asset/Check.ts"
import { didYouMean } from "../../asset/Suggest.ts"
import { label } from "../../partition/PartitionKey.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Checks from "../../run/Checks.ts"
import * as Situation from "../../run/Situation.ts"
import { decodeOutput } from "../../run/Step.ts"
import { type CheckResult, CheckStore } from "../../store/CheckStore.ts"
import { MaterializationStore } from "../../store/MaterializationStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  readonly check: Option.Option<string>
  readonly json: boolean
}

/** How many partitions are held at a time. */
const PAGE = 200

/** So many partitions that did not pass are named. */
const NAMED = 10

interface Tally {
  readonly check: string
  readonly severity: Check.Severity
  readonly blocking: boolean
  passed: number
  failed: number
  /** The first that did not pass. */
  readonly failing: Array<{ readonly partition: string; readonly description: string | undefined }>
}

const checksOf = (application: Application, input: Input): Effect.Effect<ReadonlyArray<Check.Any>, Failure> => {
  const all = application.graph.checks.get(input.name) ?? []
  if (all.length === 0) return Effect.fail(usage(`Asset "${input.name}" has no check.`, "declare one: Check.make"))
  if (Option.isNone(input.check)) return Effect.succeed(all)
  const name = input.check.value
  const found = all.filter((check) => check.name === name)
  const names = all.map((check) => check.name)
  return found.length > 0
    ? Effect.succeed(found)
    : Effect.fail(
      usage(`Asset "${input.name}" has no check "${name}".${didYouMean(name, names)}`, `checks: ${names.join(", ")}`)
    )
}

/** Those of the asked partitions of which there may be something: the page says whether there is. */
const candidates = Effect.fnUntraced(function*(application: Application, asset: Asset.Any, input: Input) {
  const space = Partitions.space(asset.dimensions, yield* Situation.settled(application.members))
  const asked = Option.match(input.partition, {
    onNone: () => Result.succeed(PartitionSet.all(space)),
    onSome: (text) => PartitionSelector.toSet(text, space)
  })
  if (Result.isFailure(asked)) return yield* usage(asked.failure, `barograph asset show ${asset.name}`)
  if (asset.external) return asked.success
  const classes = (yield* (yield* MaterializationStore).classes(new Map([[asset.name, space]]))).get(asset.name) ?? []
  const made = classes.filter(({ standing }) => standing === undefined || standing.asOf > 0).map(({ set }) => set)
  return PartitionSet.intersection(asked.success, PartitionSet.unionAll(space, made))
})

const itemsOf = Effect.fnUntraced(function*(asset: Asset.Any, texts: ReadonlyArray<string>) {
  const states = (yield* (yield* MaterializationStore).states(new Map([[asset.name, texts]]))).get(asset.name)
  return texts.filter((partition) => asset.external || states?.get(partition)?.latest !== undefined)
    .map((partition): Checks.Item => ({ partition, output: decodeOutput(asset, states?.get(partition)) }))
})

const count = (tallies: ReadonlyMap<string, Tally>, results: ReadonlyArray<CheckResult>): void => {
  for (const { check, description, partition, passed } of results) {
    const tally = tallies.get(check)!
    if (passed) tally.passed++
    else if (tally.failed++ < NAMED) tally.failing.push({ partition, description })
  }
}

/** Page by page; what was asked is kept, also when the command is stopped half-way. */
const ask = Effect.fnUntraced(function*(application: Application, input: Input) {
  const asset = yield* assetNamed(application, input.name)
  const checks = yield* checksOf(application, input)
  const tallies = new Map(checks.map(({ blocking, name, severity }): [string, Tally] => [
    name,
    { check: name, severity, blocking, passed: 0, failed: 0, failing: [] }
  ]))
  const store = yield* CheckStore
  let partitions = 0
  for (const texts of PartitionSet.pages(yield* candidates(application, asset, input), PAGE)) {
    const items = yield* itemsOf(asset, texts)
    const results = yield* Checks.run(checks, items, application.concurrency)
    yield* store.record(undefined, results)
    count(tallies, results)
    partitions += items.length
  }
  return { asset: asset.name, partitions, checks: [...tallies.values()] }
})

const render = (checks: ReadonlyArray<Tally>): ReadonlyArray<string> => [
  ...Table.render(
    ["check", "severity", "blocking", "passed", "failed"],
    checks.map(({ blocking, check, failed, passed, severity }) => [
      check,
      severity,
      blocking ? "yes" : "no",
      `${passed}`,
      `${failed}`
    ])
  ),
  ...checks.flatMap(({ check, failed, failing }) => [
    ...failing.map(({ description, partition }) => `${check}: ${label(partition)}: ${description ?? "not passed"}`),
    ...(failed > failing.length ? [`${check}: ${failed - failing.length} more`] : [])
  ])
]

export const check = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* ask(application, input).pipe(Effect.provide(application.layer))
  if (input.json) yield* Print.json(found)
  else if (found.partitions === 0) yield* Print.lines(["Nothing of this is materialized: no check was asked."])
  else yield* Print.lines(render(found.checks))
  const errors = found.checks.filter(({ failed, severity }) => severity === "error" && failed > 0)
  if (errors.length === 0) return
  return yield* new Failure({
    exitCode: 1,
    message: `not passed: ${errors.map(({ check, failed }) => `${check} by ${failed}`).join(", ")}`,
    fix: `mend the data, then materialize --asset ${found.asset} --force`
  })
})
