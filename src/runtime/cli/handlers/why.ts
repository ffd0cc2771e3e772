/** `asset why`: the latest evaluation of an asset's condition, and what it asked for lately. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Asset from "../../asset/Asset.ts"
import * as Condition from "../../asset/Condition.ts"
import * as Brake from "../../automation/Brake.ts"
import type { State } from "../../automation/ConditionState.ts"
import * as ConditionState from "../../automation/ConditionState.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Situation from "../../run/Situation.ts"
import { ConditionStore, type Record } from "../../store/ConditionStore.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { usage } from "../Failure.ts"
import * as ConditionText from "../render/ConditionText.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"

export interface Input {
  readonly name: string
  readonly partition: Option.Option<string>
  /** The evaluation that asked for it last, instead of the latest. */
  readonly asked: boolean
  readonly limit: number
  readonly json: boolean
}

/** So many records are looked through. */
const RECORDS = 100

const time = (millis: number): string => `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")}Z`

const selected = (asset: Asset.Any, { partition }: Input, universe: Partitions.Universe) => {
  if (Option.isNone(partition)) return Effect.succeed(undefined)
  const set = PartitionSelector.toSet(partition.value, Partitions.space(asset.dimensions, universe))
  if (Result.isFailure(set)) return Effect.fail(usage(set.failure, `barograph partition list ${asset.name}`))
  return PartitionSet.isEmpty(set.success)
    ? Effect.fail(usage(`"${partition.value}" names no partition.`, `barograph partition list ${asset.name}`))
    : Effect.succeed(set.success)
}

const requestOf = ({ at, count, partitions, runId }: Record) => ({
  at: new Date(at).toISOString(),
  count,
  partitions,
  runId: runId ?? null
})

const waitsOf = (state: State | undefined, now: number) => {
  const failures = state?.failures
  return Brake.holds(failures, now)
    ? { failures: failures.count, until: new Date(failures.until).toISOString() }
    : null
}

const read = Effect.fnUntraced(function*(application: Application, input: Input) {
  const asset = yield* assetNamed(application, input.name)
  const condition = asset.automation
  if (condition === undefined) {
    return yield* usage(
      `Asset "${asset.name}" declares no condition, so it is only materialized when somebody asks for it.`,
      "declare one: Asset.make(name, { automation: Condition.eager, … })"
    )
  }
  const universe = yield* Situation.settled(application.members)
  const set = yield* selected(asset, input, universe)
  const store = yield* ConditionStore
  const state = yield* store.state(asset.name)
  const space = Partitions.space(asset.dimensions, universe)
  const isOf = ({ count, partitions }: Record): boolean =>
    count > 0 && (set === undefined ||
      !PartitionSet.isEmpty(PartitionSet.intersection(ConditionState.toSet(partitions, space), set)))
  const records = (yield* store.records(asset.name, RECORDS)).filter(isOf)
  const shown = input.asked ? records[0] : state
  const isCurrent = shown?.condition === ConditionState.fingerprint(condition)
  return {
    asset: asset.name,
    condition: Condition.describe(condition),
    evaluatedAt: shown === undefined ? null : new Date(shown.at).toISOString(),
    /** False when the condition was another one then than it is declared now. */
    isCurrent,
    /** It would ask again for what failed, and waits. */
    waits: isCurrent ? waitsOf(state, universe.now) : null,
    tree: isCurrent ? ConditionText.make(condition, shown.answer, { asset, set, universe }) : null,
    requests: records.slice(0, input.limit).map(requestOf)
  }
})

type Found = Effect.Success<ReturnType<typeof read>>

const runs = (count: number): string => count === 1 ? "a run that failed" : `${count} runs that failed`

const evaluation = ({ asset, evaluatedAt, isCurrent, tree, waits }: Found, asked: boolean): ReadonlyArray<string> => {
  if (evaluatedAt === null) return asked ? [] : ["not evaluated so far: barograph daemon does"]
  if (!isCurrent || tree === null) return ["declared anew since it was evaluated: barograph daemon evaluates it again"]
  return [
    `evaluated ${time(Date.parse(evaluatedAt))}`,
    ...(waits === null
      ? []
      : [`waits after ${runs(waits.failures)}, until ${waits.until.slice(0, 19).replace("T", " ")}Z`]),
    "",
    ...Table.render(["held", "for", "since", "changes"], ConditionText.lines(tree, asset))
  ]
}

const requests = ({ requests }: Found): ReadonlyArray<string> =>
  requests.length === 0
    ? ["", "Nothing was asked for so far."]
    : [
      "",
      ...Table.render(
        ["asked for", "partitions", "run", "which"],
        requests.map(({ at, count, partitions, runId }) => [
          time(Date.parse(at)),
          `${count}`,
          runId ?? "-",
          partitions.length > 80 ? `${partitions.slice(0, 77)}...` : partitions
        ])
      )
    ]

export const why = Effect.fnUntraced(function*(input: Input) {
  const application = yield* (yield* ApplicationLoader).load
  const found = yield* read(application, input).pipe(Effect.provide(application.layer))
  if (input.json) return yield* Print.json(found)
  yield* Print.lines([`${found.asset}: ${found.condition}`, ...evaluation(found, input.asked), ...requests(found)])
})
