import { assert, describe, it } from "@effect/vitest"
import { definitions } from "../../src/assets/definitions.ts"
import { nyse } from "../../src/assets/nyse.ts"
import { onCalendar } from "../../src/assets/TradingCalendar.ts"
import * as Calendar from "../../src/runtime/partition/Calendar.ts"
import * as Partitions from "../../src/runtime/partition/Partitions.ts"
import * as PartitionSet from "../../src/runtime/partition/PartitionSet.ts"

const at = (text: string): number => Date.parse(text)

describe("a calendar around the clock", () => {
  const moved = onCalendar(definitions, Calendar.continuous)
  const keys = (graph: typeof definitions, asset: string, now: string) => {
    const universe = {
      now: at(now),
      members: { symbols: [{ value: "BTCUSDT", from: "2024-01-05", to: "2024-02-29" }] }
    }
    return [...PartitionSet.keys(PartitionSet.all(Partitions.space(graph.assets.get(asset)!.dimensions, universe)))]
  }

  it("gives the graph a session a day, there from midnight on", () => {
    const now = "2024-01-08T00:00:00Z"
    assert.deepStrictEqual(
      keys(moved, "staged_bars", now).map(({ session }) => session),
      ["2024-01-05", "2024-01-06", "2024-01-07"]
    )
    assert.deepStrictEqual(keys(definitions, "staged_bars", now).map(({ session }) => session), ["2024-01-05"])
    assert.strictEqual(keys(moved, "raw_bars", "2024-02-01T00:30:00Z").length, 2)
    assert.strictEqual(keys(definitions, "raw_bars", "2024-02-01T00:30:00Z").length, 1)
  })

  it("leaves assets, edges and order as they are, and the graph itself on its own calendar", () => {
    assert.deepStrictEqual(moved.names, definitions.names)
    assert.deepStrictEqual(moved.downstream, definitions.downstream)
    const names = (graph: typeof definitions) =>
      [...graph.checks].map(([asset, checks]) => [asset, ...checks.map(({ name }) => name)])
    assert.deepStrictEqual(names(moved), names(definitions))
    for (const check of moved.checks.get("staged_bars")!) {
      assert.strictEqual(check.asset, moved.assets.get("staged_bars")!)
    }
    for (const [name, asset] of moved.assets) {
      for (const { asset: upstream } of Object.values(asset.dependencies)) {
        assert.strictEqual(upstream, moved.assets.get(upstream.name)!, name)
      }
    }
    assert.strictEqual(onCalendar(definitions, nyse), definitions)
  })
})
