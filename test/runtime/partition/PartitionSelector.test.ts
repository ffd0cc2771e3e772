import { expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { nyse } from "../../../src/assets/nyse.ts"
import * as Partitions from "../../../src/runtime/partition/Partitions.ts"
import * as PartitionSelector from "../../../src/runtime/partition/PartitionSelector.ts"
import * as PartitionSet from "../../../src/runtime/partition/PartitionSet.ts"

const dimensions = {
  symbol: Partitions.dynamic("symbols"),
  session: Partitions.sessions(nyse, { start: "2013-10-01" })
}
const universe: Partitions.Universe = {
  now: Date.parse("2013-10-12T00:00:00Z"),
  members: { symbols: [{ value: "SPY" }, { value: "IBM" }, { value: "AAPL" }] }
}

const space = Partitions.space(dimensions, universe)

const select = (text: string) =>
  Result.map(
    PartitionSelector.toSet(text, space),
    (set) => Array.from(PartitionSet.keys(set), (key) => `${key["symbol"]} ${key["session"]!.slice(8)}`)
  )

const chosen = (text: string) => Result.getOrThrow(select(text))
const refused = (text: string) => Result.getOrThrow(Result.flip(select(text)))

it("a value, a range, a list and a star choose per dimension", () => {
  expect(chosen("symbol=IBM,session=2013-10-04")).toEqual(["IBM 04"])
  expect(chosen("symbol=IBM,session=2013-10-04..2013-10-08")).toEqual(["IBM 04", "IBM 07", "IBM 08"])
  expect(chosen("session=2013-10-11,symbol=SPY,symbol=AAPL")).toEqual(["SPY 11", "AAPL 11"])
  expect(chosen("symbol=*,session=2013-10-11..")).toEqual(["SPY 11", "IBM 11", "AAPL 11"])
  expect(chosen("symbol=SPY..IBM,session=2013-10-11")).toEqual(["SPY 11", "IBM 11"])
  expect(chosen("symbol=SPY,session=2013-10-11;symbol=IBM,session=2013-10-05..2013-10-07")).toEqual([
    "SPY 11",
    "IBM 07"
  ])
  expect(chosen("symbol=SPY,session=2013-09..2013-10")).toHaveLength(9)
})

it("what does not exist is refused with a sentence that helps", () => {
  expect(refused("symbl=IBM")).toBe(
    "There is no partition dimension \"symbl\". Did you mean \"symbol\"? Dimensions: symbol, session."
  )
  expect(refused("symbol=IBN")).toBe("There is no partition symbol=IBN. Did you mean \"IBM\"? Values: SPY, IBM, AAPL.")
  expect(refused("session=2013-10-05")).toBe(
    "There is no partition session=2013-10-05. XNYS had no session then. Sessions near it: 2013-10-04, 2013-10-07."
  )
  expect(refused("session=2013-10-08..2013-10-04")).toBe(
    "The range session=2013-10-08..2013-10-04 ends before it begins."
  )
  expect(refused("IBM")).toBe(
    "\"IBM\" is not of the form dimension=value, as in symbol=IBM,session=2013-10-04"
  )
})
