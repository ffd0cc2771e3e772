/** What a literal means is said by a parser with Redshift's backslash rule, not by us. */
import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Literal from "../../../src/layers/warehouse/Literal.ts"
import * as RedshiftApi from "../../../src/layers/warehouse/RedshiftApi.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"

class Api extends Context.Service<Api, RedshiftApi.RedshiftApi>()("test/Literal/Api") {}

const services = Layer.effect(
  Api,
  Effect.flatMap(RedshiftStandIn.StandIn, ({ url }) => RedshiftApi.make(RedshiftStandIn.targetOf(url)))
).pipe(Layer.provide(RedshiftStandIn.layer()))

const select = Effect.fnUntraced(function*(literals: ReadonlyArray<string>) {
  const api = yield* Api
  const { rows } = yield* api.rows(yield* api.run([`select ${literals.join(",")}`]), 1)
  return rows[0]!
})

const Piece = Schema.Literals([
  "'",
  "''",
  "\\",
  "\\'",
  "\\\\",
  "\"",
  ";",
  "--",
  "/*",
  "*/",
  "$$",
  "E'",
  "U&'",
  ":x",
  "?",
  "%",
  "\n",
  "\r\n",
  "\t",
  "\b",
  "a",
  "N'",
  " ",
  "ü",
  "語",
  "🜁",
  "\u2028",
  "\uFEFF",
  "\\n",
  "\\x41",
  "\\101",
  "', drop table bars --"
])

layer(services, { timeout: "60 seconds" })("literals", (it) => {
  it.effect.prop("a text is read back as it was, whatever quotes and backslashes it has", [
    Schema.Array(Schema.Array(Piece))
  ], ([pieces]) =>
    Effect.gen(function*() {
      const texts = ["", ...pieces.map((some) => some.join(""))].slice(0, 100)
      expect(yield* select(texts.map(Literal.text))).toEqual(texts)
      return true
    }))

  it.effect.prop(
    "any string at all ends where it ends",
    [Schema.Array(Schema.String)],
    ([strings]) =>
      Effect.gen(function*() {
        const texts = ["\0\ud800'", ...strings].slice(0, 100)
        const kept = texts.map((one) => one.replaceAll("\0", "␀").toWellFormed())
        expect(yield* select(texts.map(Literal.text))).toEqual(kept)
        return true
      })
  )

  it.effect.prop(
    "a number is read back to the last bit",
    [Schema.Array(Schema.Finite)],
    ([numbers]) =>
      Effect.gen(function*() {
        const all = [0, -0, 0.1, 1 / 3, 1e21, 5e-324, Number.MAX_VALUE, 2 ** 53, 123456789.123456, ...numbers].slice(
          0,
          100
        )
        const read = yield* select(all.map((one) => `cast(${Literal.number(one)} as double precision)`))
        expect(read.map((value, at) => value === all[at])).toEqual(all.map(() => true))
        return true
      })
  )

  it.effect("a backslash before the closing quote does not open the rest of the statement", () =>
    Effect.gen(function*() {
      expect(Literal.text("\\")).toBe("'\\\\'")
      expect(yield* select([Literal.text("\\"), Literal.text(", 1, '")])).toEqual(["\\", ", 1, '"])
    }))

  it.effect("short decimals are bare, long ones are quoted, and a fraction is no whole number", () =>
    Effect.sync(() => {
      expect([100.01, 100, 0, -1.5].map(Literal.number)).toEqual(["100.01", "100", "0", "-1.5"])
      expect([0.1 + 0.2, 1e-7, 1e21, -0].map(Literal.number)).toEqual([
        "'0.30000000000000004'",
        "'1e-7'",
        "'1e+21'",
        "'-0'"
      ])
      expect(() => Literal.integer(0.5)).toThrow("no whole number")
    }))
})
