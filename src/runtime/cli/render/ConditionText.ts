/** An evaluation of a condition as a tree: what held, for how many, since when, and what would change it. */
import type * as Asset from "../../asset/Asset.ts"
import * as Condition from "../../asset/Condition.ts"
import type { Answer } from "../../automation/ConditionState.ts"
import * as ConditionState from "../../automation/ConditionState.ts"
import * as Cron from "../../partition/Cron.ts"
import * as PartitionMapping from "../../partition/PartitionMapping.ts"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"

export interface Node {
  readonly said: string
  /** Whose partitions these are. */
  readonly asset: string
  readonly held: number
  readonly of: number
  /** ISO time. */
  readonly since: string
  /** For which; null where that was too long to be kept. */
  readonly partitions: string | null
  /** What would change it; null when that is told by its parts. */
  readonly changes: string | null
  readonly parts: ReadonlyArray<Node>
}

/** Of whom it is told: these partitions of the asset, and what they read. */
interface Subject {
  readonly asset: Asset.Any
  /** Undefined: all there are. */
  readonly set: PartitionSet.PartitionSet | undefined
  readonly universe: Partitions.Universe
}

const HELD: { readonly [tag: string]: readonly [held: string, not: string] } = {
  missing: ["until it is materialized", "never again"],
  inProgress: ["until its run ends", "when it is asked for"],
  failed: ["until a try succeeds", "when a try fails"],
  rejected: ["until its checks pass", "when a blocking check does not pass"],
  outdated: ["until it is materialized", "when its code version or an input changes"],
  newlyUpdated: ["at the next evaluation", "when its data changes"],
  newlyRequested: ["at the next evaluation", "when it is asked for"],
  initial: ["at the next evaluation", "never again"]
}

const time = (millis: number): string => `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")}Z`

const changesOf = (condition: Condition.Condition, held: number, subject: Subject): string | null => {
  const { asset, universe: { now } } = subject
  if (condition._tag === "inLatestWindow") {
    return Object.values(asset.dimensions).some(({ _tag }) => _tag === "time") ? "when the next window ends" : null
  }
  if (condition._tag === "cronTickPassed") return `at the tick ${time(Cron.next(condition.cron, condition.zone, now))}`
  const words = HELD[condition._tag]
  return words === undefined ? null : words[held > 0 ? 0 : 1]
}

/** The parts stand below, so what holds them together is told by a word. */
const WORDS: { readonly [tag: string]: string } = {
  and: "all of",
  or: "any of",
  not: "not",
  newly: "newly",
  since: "since the first, until the second",
  anyDeps: "for any dependency",
  allDeps: "for every dependency"
}

const upstreamOf = (subject: Subject, { asset, mapping }: Asset.Dependency): Subject => {
  if (subject.set === undefined) return { ...subject, asset }
  const up = Partitions.space(asset.dimensions, subject.universe)
  return { ...subject, asset, set: PartitionMapping.upstream(mapping, up, subject.set).keys }
}

/** How many of the partitions that are told of; undefined where the answer does not say. */
const heldOf = ([, , , text]: Answer, { asset, set, universe }: Subject): number | undefined => {
  if (text.startsWith("#")) return undefined
  const space = Partitions.space(asset.dimensions, universe)
  const held = text === "*" ? PartitionSet.all(space) : ConditionState.toSet(text, space)
  return PartitionSet.size(PartitionSet.intersection(held, set!))
}

const partsOf = (
  condition: Condition.Condition,
  below: ReadonlyArray<Answer>,
  subject: Subject
): ReadonlyArray<Node> => {
  if (condition._tag === "anyDeps" || condition._tag === "allDeps") {
    return Object.values(subject.asset.dependencies).flatMap((dependency, at) =>
      below[at] === undefined ? [] : [tree(condition.of, below[at], upstreamOf(subject, dependency))]
    )
  }
  return Condition.parts(condition).flatMap((part, at) =>
    below[at] === undefined ? [] : [tree(part, below[at], subject)]
  )
}

/** `answer` belongs to the condition. A label stands in the place of what it names. */
const tree = (condition: Condition.Condition, answer: Answer, subject: Subject): Node => {
  const inner = condition._tag === "label" ? condition.of : condition
  if (inner._tag === "label") return tree({ ...inner, label: Condition.describe(condition) }, answer, subject)
  const parts = partsOf(inner, answer[4], subject)
  const [count, total, since, text] = answer
  const held = subject.set === undefined ? count : heldOf(answer, subject)
  return {
    said: condition === inner ? WORDS[inner._tag] ?? Condition.describe(inner) : Condition.describe(condition),
    asset: subject.asset.name,
    held: held ?? 0,
    of: subject.set === undefined ? total : PartitionSet.size(subject.set),
    since: new Date(since).toISOString(),
    partitions: text.startsWith("#") ? null : text,
    changes: held === undefined ? "not kept for single partitions" : changesOf(inner, held, subject),
    parts
  }
}

export const make = tree

const mark = ({ held, of }: Node): string => held === 0 ? "no" : held === of ? "yes" : "some"

/** The cells of a table, a row for each part. */
export const lines = (node: Node, owner: string, depth = 0): ReadonlyArray<ReadonlyArray<string>> => [
  [
    `${"  ".repeat(depth)}${mark(node).padEnd(4)} ${node.asset === owner ? "" : `${node.asset}: `}${node.said}`,
    `${node.held} of ${node.of}`,
    `${node.since.slice(0, 16).replace("T", " ")}Z`,
    node.changes ?? ""
  ],
  ...node.parts.flatMap((part) => lines(part, owner, depth + 1))
]
