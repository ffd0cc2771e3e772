/**
 * Evaluates several conditions at one instant, upstream first, and puts what they ask for into as few requests as can be.
 * What one asks for is in progress for those after it, so that whoever reads it waits. Pure.
 */
import * as Cause from "effect/Cause"
import * as Result from "effect/Result"
import * as Crypto from "node:crypto"
import type * as Asset from "../asset/Asset.ts"
import * as Condition from "../asset/Condition.ts"
import * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type { AssetPlan } from "../plan/Plan.ts"
import type { RunRequest } from "../plan/RunRequest.ts"
import { message } from "../run/CauseText.ts"
import type { State } from "./ConditionState.ts"
import * as ConditionState from "./ConditionState.ts"
import * as ConditionView from "./ConditionView.ts"
import * as Evaluation from "./Evaluation.ts"

export type Known = Omit<ConditionView.Known, "asked">

export interface Wave {
  readonly evaluations: ReadonlyArray<Evaluation.Evaluation>
  /** Assets whose conditions could not be evaluated, and why: a mapping of the project's may throw. */
  readonly failed: ReadonlyMap<string, string>
  readonly plans: ReadonlyArray<AssetPlan>
}

/** `assets` have a condition, and stand upstream first; `stateOf` is that of their last evaluation. */
export const evaluate = (
  assets: ReadonlyArray<Asset.Any>,
  known: Known,
  stateOf: (asset: string) => State | undefined
): Wave => {
  const inProgress = new Map(known.inProgress)
  const states = new Map<string, State>()
  const asked = ({ dimensions, name }: Asset.Any): ConditionView.Asked | undefined => {
    const last = (states.get(name) ?? stateOf(name))?.asked
    if (last === undefined || last.number === 0) return undefined
    const space = Partitions.space(dimensions, known.situation.universe)
    return { number: last.number, set: ConditionState.toSet(last.partitions, space) }
  }
  const view = ConditionView.make({ ...known, inProgress, asked })
  const failed = new Map<string, string>()
  const evaluations = assets.flatMap((asset) => {
    const made = Result.try(() => Evaluation.make(asset.automation!, asset, view, stateOf(asset.name)))
    if (Result.isFailure(made)) {
      failed.set(asset.name, message(Cause.die(made.failure)))
      return []
    }
    const { requested, state } = made.success
    states.set(asset.name, state)
    const before = inProgress.get(asset.name)
    inProgress.set(asset.name, before === undefined ? requested : PartitionSet.union(before, requested))
    return [made.success]
  })
  return { evaluations, failed, plans: view.plans() }
}

export interface Request {
  /** Follows from the states before: the same evaluation, made twice, has the same key. */
  readonly runKey: string
  readonly assets: ReadonlyArray<string>
  readonly request: RunRequest
}

/** Keys of runs that conditions ask for begin so. */
export const KEY = "condition/"

const keyOf = (
  evaluations: ReadonlyArray<Evaluation.Evaluation>,
  stateOf: (asset: string) => State | undefined
): string => {
  const numbers = evaluations.map(({ asset, state }) => [asset.name, stateOf(asset.name)?.number ?? state.number])
  const [name, number] = numbers[0]!
  const hash = () => Crypto.createHash("sha256").update(JSON.stringify(numbers)).digest("hex").slice(0, 12)
  return `${KEY}${name}/${number}${numbers.length === 1 ? "" : `+${numbers.length - 1}-${hash()}`}`
}

/** One request for what is to be materialized in any case, and one for what the planner looks at again. */
export const requests = (
  { evaluations }: Wave,
  stateOf: (asset: string) => State | undefined
): ReadonlyArray<Request> => {
  const asking = evaluations.filter(({ requested }) => !PartitionSet.isEmpty(requested))
  return [false, true].flatMap((force) => {
    const own = asking.filter(({ asset }) => Condition.isForced(asset.automation!) === force)
    if (own.length === 0) return []
    const targets = own.map(({ asset, requested }) => ({
      asset: asset.name,
      partitions: ConditionState.toText(requested)
    }))
    const request: RunRequest = { assets: [], select: null, partition: null, force, targets }
    return [{ runKey: keyOf(own, stateOf), assets: own.map(({ asset }) => asset.name), request }]
  })
}
