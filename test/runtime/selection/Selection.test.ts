import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Selection from "../../../src/runtime/selection/Selection.ts"

const none = () => Effect.void
const a = Asset.make("a", { group: "raw", kinds: ["json"], owners: ["ana"], tags: { tier: "1", hot: "" } }, none)
const b = Asset.make("b", { deps: { a }, group: "bars", kinds: ["postgres"] }, none)
const c = Asset.make("c", { deps: { b }, group: "bars", kinds: ["parquet"], tags: { "a b": "c d" } }, none)
const d = Asset.make("d", { deps: { b }, group: "bars" }, none)
const bars = Asset.make("bars_x", { deps: { d } }, none)
const graph = AssetGraph.make(c, bars)

const select = (text: string) => Result.getOrThrow(Selection.resolve(graph, text)).join(" ")
const refused = (text: string) => Result.getOrThrow(Result.flip(Selection.resolve(graph, text)))

describe("walking", () => {
  it("plus walks up and down, digits bound how far", () => {
    expect(select("b")).toBe("b")
    expect(select("+b")).toBe("a b")
    expect(select("b+")).toBe("b c d bars_x")
    expect(select("1+c")).toBe("b c")
    expect(select("a+1")).toBe("a b")
    expect(select("1+b+1")).toBe("a b c d")
    expect(select("+key:b+")).toBe("a b c d bars_x")
    expect(select("*")).toBe("a b c d bars_x")
    expect(select("d,a")).toBe("a d")
  })

  it("roots and sinks are those within the selection, over transitive paths", () => {
    expect(select("roots(*)")).toBe("a")
    expect(select("sinks(*)")).toBe("c bars_x")
    expect(select("roots(b or bars_x)")).toBe("b")
    expect(select("sinks(a or bars_x)")).toBe("bars_x")
    expect(select("1+roots(c or d)")).toBe("b c d")
  })
})

describe("attributes", () => {
  it("a star stands for any characters of the whole key", () => {
    expect(select("key:b*")).toBe("b bars_x")
    expect(select("key:\"*_x\"")).toBe("bars_x")
    expect(select("key:bars*x")).toBe("bars_x")
    expect(refused("key:ar")).toContain("names no asset")
  })

  it("group, kind, owner and tag are compared whole; <null> is having none", () => {
    expect(select("group:bars")).toBe("b c d")
    expect(select("kind:parquet")).toBe("c")
    expect(select("owner:ana")).toBe("a")
    expect(select("owner:<null>")).toBe("b c d bars_x")
    expect(select("kind:<null>")).toBe("d bars_x")
    expect(select("tag:tier=1")).toBe("a")
    expect(select("tag:hot")).toBe("a")
    expect(select("tag:\"a b\"=\"c d\"")).toBe("c")
    expect(refused("tag:tier")).toContain("names no asset")
  })
})

describe("combining", () => {
  it("not binds tighter than and, and tighter than or", () => {
    expect(select("a or b and c")).toBe("a")
    expect(select("(a or b) and +b")).toBe("a b")
    expect(select("not a and not b")).toBe("c d bars_x")
    expect(select("not a or a")).toBe("a b c d bars_x")
    expect(select("not (a or b) AND NOT c")).toBe("d bars_x")
    expect(select("group:bars and not sinks(*)")).toBe("b d")
  })
})

describe("mistakes", () => {
  it("an error names the column and what was expected there", () => {
    expect(refused("a and")).toBe(
      "column 6: expected an asset name, key:, group:, kind:, owner:, tag:, roots(…), sinks(…), \"(\" or \"*\", found the end"
    )
    expect(refused("(a or b")).toBe("column 8: expected \")\", found the end")
    expect(refused("a b")).toBe("column 3: expected \"and\", \"or\" or the end, found \"b\"")
    expect(refused("grup:bars")).toBe(
      "column 6: expected one of key, group, kind, owner, tag before \":\" instead of \"grup\", found \"bars\""
    )
    expect(refused("kind:")).toBe("column 6: expected a value after kind:, found the end")
    expect(refused("tag:k= or a")).toBe("column 8: expected a value after tag:k=, found \"or\"")
    expect(refused("kind:not")).toBe("column 6: expected a value after kind:, found \"not\"")
    expect(refused("leaves(a)")).toBe("column 7: expected roots(…) or sinks(…) instead of leaves(…), found \"(\"")
    expect(refused("a And b")).toBe("column 3: expected \"and\", \"or\" or the end, found \"And\"")
    expect(refused("a & b")).toBe("column 3: \"&\" has no meaning here")
    expect(refused("")).toContain("column 1: expected an asset name")
  })

  it("a name that is not there is answered with the one that was meant", () => {
    const two = AssetGraph.make(Asset.make("redshift_bars", {}, none), Asset.make("raw_bars", {}, none))
    expect(Result.getOrThrow(Result.flip(Selection.resolve(two, "redshift_barz")))).toBe(
      "There is no asset \"redshift_barz\". Did you mean \"redshift_bars\"? Assets: redshift_bars, raw_bars."
    )
  })
})

it("two assets of one name are refused", () => {
  expect(() => AssetGraph.make(Asset.make("a", {}, none), Asset.make("a", {}, none))).toThrow(
    "Two assets are named \"a\": rename one of them."
  )
})
