/**
 * For which of its partitions an asset's condition holds: (condition, asset, view, state) -> what to ask for, the next
 * state, and when time alone may make it another answer. Pure; works on sets, so the cost follows their runs.
 *
 * What "newly" means follows from numbers. A change that was made in a run which had ended before the number of the last
 * evaluation was there to be seen then; of a run that ended later, or goes on, the state says which partitions were seen.
 * So nothing is seen twice or never, although a run takes its number when it begins and changes partitions until it ends.
 */
import type * as Asset from "../asset/Asset.ts"
import type * as Condition from "../asset/Condition.ts"
import * as Cron from "../partition/Cron.ts"
import * as IndexSet from "../partition/IndexSet.ts"
import * as PartitionMapping from "../partition/PartitionMapping.ts"
import type * as Partitions from "../partition/Partitions.ts"
import * as PartitionSet from "../partition/PartitionSet.ts"
import type * as TimeAxis from "../partition/TimeAxis.ts"
import * as Brake from "./Brake.ts"
import type { Answer, State } from "./ConditionState.ts"
import * as ConditionState from "./ConditionState.ts"
import type { View } from "./ConditionView.ts"
import * as Schedule from "./Schedule.ts"

type Of<Tag extends Condition.Condition["_tag"]> = Condition.Condition & { readonly _tag: Tag }

export interface Evaluation {
  readonly asset: Asset.Any
  /** What to ask for: where it holds, without what is in progress. */
  readonly requested: PartitionSet.PartitionSet
  readonly state: State
  /** Something else than the clock and "nothing" came out, or came out before. */
  readonly isNews: boolean
  /** The next instant at which time alone may change the answer; Infinity when none does. */
  readonly changesAt: number
}

/** What is gathered while the parts are evaluated. */
interface Gathering {
  readonly view: View
  /** Undefined at the first evaluation. */
  readonly before: State | undefined
  /** The asset whose condition it is. */
  readonly owner: Asset.Any
  readonly sets: { [path: string]: string }
  readonly seen: { [asset: string]: { readonly [run: string]: string } }
  changesAt: number
}

interface Found {
  readonly set: PartitionSet.PartitionSet
  readonly answer: Answer
}

interface Place {
  readonly asset: Asset.Any
  readonly path: string
  /** What this part answered last time. */
  readonly before: Answer | undefined
}

const NOTHING: ReadonlyArray<Answer> = []

const at = (gathering: Gathering, instant: number): void => {
  if (instant < gathering.changesAt) gathering.changesAt = instant
}

/** All or nothing. */
const either = (holds: boolean, space: Partitions.Space): PartitionSet.PartitionSet =>
  holds ? PartitionSet.all(space) : PartitionSet.none(space)

const latestWindows = (space: Partitions.Space, lookback: number | undefined): PartitionSet.PartitionSet => {
  const box = space.axes.map((axis, level): readonly [number, number] => {
    const name = space.names[level]
    if (name === undefined || space.dimensions[name]!._tag !== "time" || axis.length === 0) return [0, axis.length]
    const windows = axis as TimeAxis.Axis
    const last = axis.length - 1
    const from = lookback === undefined ? last : windows.firstStartingAtOrAfter(windows.endAt(last) - lookback)
    return [Math.min(from, last), axis.length]
  })
  return PartitionSet.make(space, IndexSet.intersection(IndexSet.box(box), space.existing))
}

const newlyUpdated = (gathering: Gathering, asset: Asset.Any): PartitionSet.PartitionSet => {
  const { before, seen, view } = gathering
  const { space, updates } = view.of(asset)
  const seenBefore = before?.seen[asset.name] ?? {}
  const seenNow: { [run: string]: string } = {}
  const found: Array<PartitionSet.PartitionSet> = []
  for (const { ended, run, set } of updates) {
    if (ended > view.number) seenNow[run] = ConditionState.toText(set)
    if (before === undefined || ended <= before.number) continue
    found.push(PartitionSet.difference(set, ConditionState.toSet(seenBefore[run], space)))
  }
  if (Object.keys(seenNow).length > 0) seen[asset.name] = seenNow
  return PartitionSet.unionAll(space, found)
}

const newlyRequested = ({ before, owner, view }: Gathering, asset: Asset.Any): PartitionSet.PartitionSet => {
  const { asked, space } = view.of(asset)
  if (before === undefined) return PartitionSet.none(space)
  if (asset !== owner) return asked !== undefined && asked.number > before.number ? asked.set : PartitionSet.none(space)
  return before.asked.number === before.number
    ? ConditionState.toSet(before.asked.partitions, space)
    : PartitionSet.none(space)
}

/** What a jump of the clock would have passed twice is passed once: the instant of the last evaluation does not go back. */
const lastAt = (before: State | undefined, now: number): number =>
  before === undefined || before.at > now + Schedule.WRONG ? now : before.at

const cronTickPassed = (gathering: Gathering, { cron, zone }: Of<"cronTickPassed">): boolean => {
  const { before, view: { universe: { now } } } = gathering
  const from = lastAt(before, now)
  const next = Cron.next(cron, zone, from)
  at(gathering, next > now ? next : Cron.next(cron, zone, now))
  return next <= now
}

type Leaf = Exclude<
  Condition.Condition,
  Of<"anyDeps" | "allDeps" | "newly" | "since" | "and" | "or" | "not" | "label">
>

const leafSet = (gathering: Gathering, asset: Asset.Any, condition: Leaf): PartitionSet.PartitionSet => {
  const facts = gathering.view.of(asset)
  switch (condition._tag) {
    case "inLatestWindow":
      return latestWindows(facts.space, condition.lookback)
    case "newlyUpdated":
      return newlyUpdated(gathering, asset)
    case "newlyRequested":
      return newlyRequested(gathering, asset)
    case "initial":
      return either(gathering.before === undefined, facts.space)
    case "cronTickPassed":
      return either(cronTickPassed(gathering, condition), facts.space)
    default:
      return facts[condition._tag]
  }
}

/** Whether it holds for a partition that does not exist: that is missing, and nothing else. */
const holdsOfAbsent = (condition: Condition.Condition): boolean => {
  switch (condition._tag) {
    case "missing":
    case "allDeps":
      return true
    case "and":
      return condition.of.every(holdsOfAbsent)
    case "or":
      return condition.of.some(holdsOfAbsent)
    case "not":
      return !holdsOfAbsent(condition.of)
    case "label":
      return holdsOfAbsent(condition.of)
    default:
      return false
  }
}

/** Those that read a partition of which it holds, or does not. */
const reading = (gathering: Gathering, condition: Condition.Condition, holds: boolean, place: Place): Found => {
  const { asset, path } = place
  const facts = gathering.view.of(asset)
  const below: Array<Answer> = []
  const found: Array<PartitionSet.PartitionSet> = []
  for (const [at, [name, dependency]] of Object.entries(asset.dependencies).entries()) {
    const own = { asset: dependency.asset, path: `${path}/${name}`, before: place.before?.[4][at] }
    const { answer, set } = evaluate(gathering, condition, own)
    below.push(answer)
    const wanted = holds ? set : PartitionSet.difference(PartitionSet.all(set.space), set)
    if (!PartitionSet.isEmpty(wanted)) {
      found.push(PartitionMapping.downstream(dependency.mapping, facts.space, wanted))
    }
    if (holdsOfAbsent(condition) === holds) found.push(facts.lacking(name))
  }
  return answered(gathering, PartitionSet.unionAll(facts.space, found), below, place)
}

const answered = (
  { view }: Gathering,
  set: PartitionSet.PartitionSet,
  below: ReadonlyArray<Answer>,
  { before }: Place
): Found => ({ set, answer: ConditionState.answer(set, view.universe.now, below, before) })

const remembered = ({ before, view }: Gathering, { asset, path }: Place): PartitionSet.PartitionSet =>
  ConditionState.toSet(before?.sets[path], view.of(asset).space)

const remember = ({ sets }: Gathering, { path }: Place, set: PartitionSet.PartitionSet): void => {
  if (!PartitionSet.isEmpty(set)) sets[path] = ConditionState.toText(set)
}

const part = (gathering: Gathering, condition: Condition.Condition, place: Place, at: number): Found =>
  evaluate(gathering, condition, {
    asset: place.asset,
    path: `${place.path}.${at}`,
    before: place.before?.[4][at]
  })

const complement = (set: PartitionSet.PartitionSet): PartitionSet.PartitionSet =>
  PartitionSet.difference(PartitionSet.all(set.space), set)

const newly = (gathering: Gathering, { of }: Of<"newly">, place: Place): Found => {
  const { answer, set } = part(gathering, of, place, 0)
  remember(gathering, place, set)
  return answered(gathering, PartitionSet.difference(set, remembered(gathering, place)), [answer], place)
}

const since = (gathering: Gathering, { reset, trigger }: Of<"since">, place: Place): Found => {
  const [started, ended] = [part(gathering, trigger, place, 0), part(gathering, reset, place, 1)]
  const going = PartitionSet.difference(remembered(gathering, place), ended.set)
  const set = PartitionSet.union(going, started.set)
  remember(gathering, place, set)
  return answered(gathering, set, [started.answer, ended.answer], place)
}

/** Every part is evaluated, also where the answer is clear before: some of them remember. */
const several = (gathering: Gathering, { _tag, of }: Of<"and" | "or">, place: Place): Found => {
  const { space } = gathering.view.of(place.asset)
  const found = of.map((one, at) => part(gathering, one, place, at))
  const combine = _tag === "and" ? PartitionSet.intersection : PartitionSet.union
  const set = found.reduce((all, one) => combine(all, one.set), either(_tag === "and", space))
  return answered(gathering, set, found.map(({ answer }) => answer), place)
}

const evaluate = (gathering: Gathering, condition: Condition.Condition, place: Place): Found => {
  at(gathering, gathering.view.of(place.asset).changesAt)
  switch (condition._tag) {
    case "anyDeps":
      return reading(gathering, condition.of, true, place)
    case "allDeps": {
      const { answer, set } = reading(gathering, condition.of, false, place)
      return answered(gathering, complement(set), answer[4], place)
    }
    case "newly":
      return newly(gathering, condition, place)
    case "since":
      return since(gathering, condition, place)
    case "and":
    case "or":
      return several(gathering, condition, place)
    case "not": {
      const { answer, set } = part(gathering, condition.of, place, 0)
      return answered(gathering, complement(set), [answer], place)
    }
    case "label": {
      // It adds nothing: what was remembered stays valid when a label is added.
      return evaluate(gathering, condition.of, place)
    }
    default:
      return answered(gathering, leafSet(gathering, place.asset, condition), NOTHING, place)
  }
}

/** It was not looked: so what comes to hold meanwhile is as new at the next evaluation as it would be now. */
const held = (asset: Asset.Any, space: Partitions.Space, before: State, { until }: Brake.Failures): Evaluation => ({
  asset,
  requested: PartitionSet.none(space),
  state: before,
  isNews: false,
  changesAt: until
})

/** `state` is that of the last evaluation; one of another condition counts for nothing. */
export const make = (
  condition: Condition.Condition,
  asset: Asset.Any,
  view: View,
  state: State | undefined
): Evaluation => {
  const fingerprint = ConditionState.fingerprint(condition)
  const before = state?.condition === fingerprint ? state : undefined
  const gathering: Gathering = { view, before, owner: asset, sets: {}, seen: {}, changesAt: Number.POSITIVE_INFINITY }
  const { answer, set } = evaluate(gathering, condition, { asset, path: "", before: before?.answer })
  const requested = PartitionSet.difference(set, view.of(asset).inProgress)
  const isAsked = !PartitionSet.isEmpty(requested)
  const { now } = view.universe
  const failures = before?.failures
  if (isAsked && Brake.holds(failures, now)) return held(asset, requested.space, before!, failures)
  return {
    asset,
    requested,
    state: {
      condition: fingerprint,
      number: view.number,
      at: Math.max(now, lastAt(before, now)),
      sets: gathering.sets,
      seen: gathering.seen,
      asked: isAsked
        ? { number: view.number, partitions: ConditionState.toText(requested) }
        : state?.asked ?? { number: 0, partitions: "" },
      failures: isAsked ? failures : Brake.released(failures),
      answer
    },
    isNews: isAsked || answer[3] !== (before?.answer[3] ?? ""),
    changesAt: gathering.changesAt
  }
}
