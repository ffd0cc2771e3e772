/** `quarantine list`, `show` and `replay`: the rows that were refused, and reading their payloads again. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ApplicationLoader, type Quarantine, type QuarantinedRow } from "../Application.ts"
import { Failure, usage } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as SummaryText from "../render/SummaryText.ts"
import * as Table from "../render/Table.ts"
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
    yield* order({
      request: { assets: [asset], select: null, partition: selector(before), force: true },
      json: input.json
    })
    const after = yield* withQuarantine((quarantine) => quarantine.list(undefined))
    yield* Print.talk(`${before.length} refused rows were read again; ${after.length} rows are refused now.`)
  }
)
