/**
 * One publish of every kind of partition: a new one, one whose rows changed, one whose rows are gone, and one that stays.
 * Used by tests and by the process that they kill.
 */
import * as Effect from "effect/Effect"
import { type Bars, contentHash, empty } from "../../../src/layers/bars/Bars.ts"
import * as Layout from "../../../src/layers/lake/Layout.ts"
import type { ObjectStore } from "../../../src/layers/lake/ObjectStore.ts"
import * as Parquet from "../../../src/layers/lake/Parquet.ts"
import * as ParquetReader from "../../../src/layers/lake/ParquetReader.ts"
import * as Publication from "../../../src/layers/lake/Publication.ts"
import * as TestBars from "../../support/TestBars.ts"

type Rows = ReadonlyMap<string, Bars>

const [created, changed, gone, same] = ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07"].map((session) =>
  Layout.sessionKey("BRK/B", session)
) as [string, string, string, string]

export const before: Rows = new Map([
  [created, empty],
  [changed, TestBars.make("2024-03-05", 390, 100)],
  [gone, TestBars.make("2024-03-06", 390, 200)],
  [same, TestBars.make("2024-03-07", 390, 300)]
])

export const after: Rows = new Map([
  [created, TestBars.make("2024-03-04", 210, 50)],
  [changed, TestBars.make("2024-03-05", 391, 101)],
  [gone, empty],
  [same, TestBars.make("2024-03-07", 390, 300)]
])

export const publish = (store: ObjectStore["Service"], rows: Rows) =>
  Effect.flatMap(
    Publication.publish(store, [...rows.keys()], (asked) =>
      Effect.succeed(asked.map((at) => {
        const [key, bars] = [...rows][at]!
        return { key, parts: [{ bars }], contentHash: contentHash(bars), meta: { source: "test" } }
      }))),
    (outcomes) => Effect.forEach(outcomes, Effect.fromResult)
  )

/** Everything that is in the lake, read back: content hashes by key. */
export const contents = Effect.fnUntraced(function*(store: ObjectStore["Service"]) {
  const found = new Map<string, string>()
  for (const key of yield* store.list("")) {
    const bytes = yield* store.get(key)
    const bars = yield* ParquetReader.decode(bytes)
    const said = Parquet.metaOf(Parquet.footer(bytes))["contentHash"]
    found.set(key, said === contentHash(bars) ? contentHash(bars) : "the footer says otherwise")
  }
  return found
})

export const expected = (rows: Rows): Map<string, string> =>
  new Map([...rows].filter(([, bars]) => bars.length > 0).map(([key, bars]) => [key, contentHash(bars)]))

/** True when every partition is as before or as after, none in between. */
export const isBetween = (found: ReadonlyMap<string, string>): boolean => {
  const [old, now] = [expected(before), expected(after)]
  const all = new Set([...found.keys(), ...old.keys(), ...now.keys()])
  return [...all].every((key) => found.get(key) === old.get(key) || found.get(key) === now.get(key))
}
