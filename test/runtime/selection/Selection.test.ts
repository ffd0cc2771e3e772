import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Asset from "../../../src/runtime/asset/Asset.ts"
import * as AssetGraph from "../../../src/runtime/asset/AssetGraph.ts"
import * as Selection from "../../../src/runtime/selection/Selection.ts"

const none = () => Effect.void
const a = Asset.make("a", {}, none)
const b = Asset.make("b", { deps: { a } }, none)
const c = Asset.make("c", { deps: { b } }, none)
const d = Asset.make("d", { deps: { b } }, none)
const graph = AssetGraph.make(c, d)

const select = (text: string) => Result.getOrThrow(Selection.resolve(graph, text)).join(" ")

it("plus walks up and down, digits bound how far", () => {
  expect(select("b")).toBe("b")
  expect(select("+b")).toBe("a b")
  expect(select("b+")).toBe("b c d")
  expect(select("1+c")).toBe("b c")
  expect(select("a+1")).toBe("a b")
  expect(select("+b+")).toBe("a b c d")
  expect(select("*")).toBe("a b c d")
  expect(select("d,a")).toBe("a d")
})

it("a name that is not there is answered with the one that was meant", () => {
  const graph = AssetGraph.make(Asset.make("redshift_bars", {}, none), Asset.make("raw_bars", {}, none))
  expect(Result.getOrThrow(Result.flip(Selection.resolve(graph, "redshift_barz")))).toBe(
    "There is no asset \"redshift_barz\". Did you mean \"redshift_bars\"? Assets: redshift_bars, raw_bars."
  )
  expect(Result.isFailure(Selection.resolve(graph, "a b"))).toBe(true)
  expect(Result.isFailure(Selection.resolve(graph, ""))).toBe(true)
})

it("two assets of one name are refused", () => {
  expect(() => AssetGraph.make(Asset.make("a", {}, none), Asset.make("a", {}, none))).toThrow(
    "Two assets are named \"a\": rename one of them."
  )
})
