/** `quarantine list`, `show` and `replay`: the rows that were refused, and reading their payloads again. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Partitions from "../../partition/Partitions.ts"
import * as PartitionSelector from "../../partition/PartitionSelector.ts"
import * as PartitionSet from "../../partition/PartitionSet.ts"
import * as Situation from "../../run/Situation.ts"
import { type Application, ApplicationLoader, type Quarantine, type QuarantinedRow } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as SummaryText from "../render/SummaryText.ts"
import * as Table from "../render/Table.ts"
import { assetNamed } from "./assetNamed.ts"
import { order } from "./materialize.ts"

const withQuarantine = <A, E, R>(use: (quarantine: Quarantine) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { quarantine } = yield* (yield* ApplicationLoader).load
    if (quarantine !== undefined) return yield* use(quarantine)
    return yield* usage("This project refuses no rows.")
  })

const LIST = "barograph quarantine list"

/** Wide texts would push the columns off the screen; `show` has all of them. */
const WIDTH = 60

const short = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line
}

export const list = Effect.fnUntraced(function*(input: { readonly limit: number; readonly json: boolean }) {
  const rows = yield* withQuarantine((quarantine) => quarantine.list(input.limit))
  if (input.json) return yield* Print.json(rows)
  if (rows.length === 0) return yield* Print.lines(["No row was refused."])
  yield* Print.lines(Table.render(
    ["id", "partition", "why", "row"],
    rows.map(({ id, partition, raw, reason }) => [String(id), partition, reason, short(raw)])
  ))
})

const found = Effect.fnUntraced(function*(quarantine: Quarantine, id: number) {
  const row = yield* quarantine.find(id)
  if (row !== undefined) return row
  return yield* new Failure({ exitCode: 2, message: `There is no refused row ${id}.`, fix: LIST })
})

export const show = Effect.fnUntraced(function*(input: { readonly id: number; readonly json: boolean }) {
  const row = yield* withQuarantine((quarantine) => found(quarantine, input.id))
  if (input.json) return yield* Print.json(row)
  yield* Print.lines([
    `${row.id}  ${row.partition}`,
    `  why       ${row.reason}`,
    `  time      ${row.ts ?? "could not be read"}`,
    `  refused   ${row.quarantinedAt}`,
    `  payload   ${row.payload}`,
    "",
    ...row.raw.split("\n")
  ])
})

/** The partitions of the rows, each once, as one selector: those of a symbol together. */
const selector = (rows: ReadonlyArray<QuarantinedRow>): string => {
  const groups = new Map<string, Set<string>>()
  for (const { partition } of rows) {
    const [first, ...others] = partition.split(",")
    const group = groups.get(first!) ?? new Set([first!])
    for (const other of others) group.add(other)
    groups.set(first!, group)
  }
  return [...groups.values()].map((group) => [...group].join(",")).join(";")
}

/** Those whose partitions there still are: what is no longer loaded would keep the others from being read. */
const standing = Effect.fnUntraced(function*(
  application: Application,
  asset: string,
  rows: ReadonlyArray<QuarantinedRow>
) {
  const { dimensions } = yield* assetNamed(application, asset)
  const space = Partitions.space(dimensions, yield* Situation.settled(application.members))
  const gone = new Set(
    [...new Set(rows.map(({ partition }) => partition))].filter((text) =>
      PartitionSet.isEmpty(PartitionSelector.toKnown(text, space))
    )
  )
  const left = rows.filter(({ partition }) => !gone.has(partition))
  // Of none at all the selector says what is missing.
  if (left.length === 0 || gone.size === 0) return rows
  yield* Print.talk(`${rows.length - left.length} refused rows stay: their partitions are there no more.`)
  return left
})

/** Reads the kept payloads of the rows again, by the decoder and the rules of now. Nothing is fetched for it. */
export const replay = Effect.fnUntraced(
  function*(input: { readonly id: Option.Option<number>; readonly json: boolean }) {
    const { asset, before } = yield* withQuarantine((quarantine) =>
      Effect.map(
        Option.isSome(input.id)
          ? Effect.map(found(quarantine, input.id.value), (row) => [row])
          : quarantine.list(undefined),
        (before) => ({ asset: quarantine.asset, before })
      )
    )
    if (before.length === 0) {
      return yield* input.json ? Print.json(SummaryText.nothing({})) : Print.lines(["No row was refused."])
    }
    const application = yield* (yield* ApplicationLoader).load
    const rows = yield* standing(application, asset, before).pipe(Effect.provide(application.layer))
    yield* order({
      request: { assets: [asset], select: null, partition: selector(rows), force: true },
      json: input.json
    })
    const after = yield* withQuarantine((quarantine) => quarantine.list(undefined))
    yield* Print.talk(`${rows.length} refused rows were read again; ${after.length} rows are refused now.`)
  }
)
