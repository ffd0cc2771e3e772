import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as BarsJson from "../../../src/layers/market-data/alpaca/BarsJson.ts"
import * as PagedRows from "../../../src/layers/market-data/PagedRows.ts"

const decode = PagedRows.decoder(BarsJson.shape("1min", 60_000))
const read = (text: string) => decode(BarsJson.format, new TextEncoder().encode(text))

const bar = (changes: { readonly [field: string]: unknown } = {}): string =>
  JSON.stringify({ t: "2024-01-03T14:30:00Z", o: 10, h: 11, l: 9, c: 10.5, v: 5, n: 1, vw: 10.2, ...changes })
const page = (rows: ReadonlyArray<string>, token: string | null = null): string =>
  `{"bars":{"IBM":[${rows.join(",")}]},"next_page_token":${JSON.stringify(token)}}\n`
const reasons = (...rows: ReadonlyArray<string>) => read(page(rows)).rejects.map(({ reason }) => reason)

const Row = Schema.Struct({
  minute: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 44_000 })),
  price: Schema.Finite.check(Schema.isBetween({ minimum: 1e-9, maximum: 1e12 })),
  volume: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e12 }))
})

describe("Alpaca's decoder", () => {
  it("reads the documented example", () => {
    const { complete, rejects, sessions } = read(
      `{"bars":{"AAPL":[{"t":"2022-01-03T09:00:00Z","o":178.26,"h":178.26,"l":178.21,"c":178.21,"v":1118,"n":65,` +
        `"vw":178.235733}],"next_page_token":null}`.replace(`}],"next`, `}]},"next`)
    )
    assert.deepStrictEqual([complete, rejects], [true, []])
    assert.strictEqual(sessions[0]!.session, "2022-01-03")
    assert.deepStrictEqual([...sessions[0]!.bars.close, ...sessions[0]!.bars.volume], [178.21, 1118])
    assert.strictEqual(sessions[0]!.bars.ts[0], Date.parse("2022-01-03T09:00:00Z"))
  })

  it("reads pages in any order of members and white space, and null for no bars", () => {
    const rows = [bar(), bar({ t: "2024-01-03T14:31:00Z" })]
    const reordered = `{ "next_page_token" : "x" ,\n "bars" : { "IBM" : [ ${rows[0]} ] } }\r\n${page([rows[1]!])}`
    const decoded = read(reordered)
    assert.isTrue(decoded.complete)
    assert.strictEqual(decoded.sessions[0]!.bars.length, 2)
    assert.isFalse(read(`{"bars":null,"next_page_token":null}`).complete)
  })

  it("misses the page that the last one promises", () => {
    const decoded = read(page([bar()], "more"))
    assert.isFalse(decoded.complete)
    assert.strictEqual(decoded.sessions[0]!.bars.length, 1)
    assert.deepStrictEqual(decoded.rejects.map(({ reason }) => reason), ["the answer is cut off here"])
  })

  it("does not take the end of a page for what stands between its rows", () => {
    const rows = [0, 1, 2, 3, 4].map((minute) => bar({ t: `2024-01-03T14:3${minute}:00Z` }))
    const small = [...rows.slice(0, 4).map((row) => page([row], "x")), page([rows[4]!])].join("")
    const decoded = read(small)
    assert.deepStrictEqual([decoded.complete, decoded.rejects, decoded.sessions[0]!.bars.length], [true, [], 5])
    assert.isFalse(read(small.replace(/null\}\n$/, `"x"}\n`)).complete)
  })

  it("files evening bars under New York's date, in winter and in summer", () => {
    const of = (t: string) => read(page([bar({ t })])).sessions[0]!.session
    assert.strictEqual(of("2024-01-04T00:59:00Z"), "2024-01-03")
    assert.strictEqual(of("2024-01-04T05:00:00Z"), "2024-01-04")
    assert.strictEqual(of("2024-07-03T23:59:00Z"), "2024-07-03")
    assert.strictEqual(of("2024-07-04T03:59:00Z"), "2024-07-03")
    assert.strictEqual(of("2024-07-03T19:59:00-04:00"), "2024-07-03")
  })

  it("says in words why a row is refused", () => {
    assert.deepStrictEqual(reasons(bar({ c: null })), ["close is not a number: null"])
    assert.deepStrictEqual(reasons(bar({ o: "NaN" })), [`open is not a number: "NaN"`])
    assert.deepStrictEqual(reasons(bar({ v: undefined })), ["missing volume"])
    assert.deepStrictEqual(reasons(bar({ v: 5.5 })), ["volume must be a whole number >= 0: 5.5"])
    assert.deepStrictEqual(reasons(bar({ l: -1 })), ["price must be positive: low is -1"])
    assert.deepStrictEqual(reasons(bar({ h: 10.2 })), ["high below close: 10.2 < 10.5"])
    assert.deepStrictEqual(reasons(bar({ t: "2024-02-30T10:00:00Z" })), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(bar({ t: "2024-01-03T24:00:00Z" })), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(bar({ t: 1_704_292_200_000 })), ["timestamp not readable"])
    assert.deepStrictEqual(reasons(bar({ t: "2024-01-03T14:30:30Z" })), ["timestamp off the 1min grid"])
    assert.deepStrictEqual(reasons("[1]", bar()), ["not a row of fields"])
    assert.deepStrictEqual(reasons(bar(), bar(), bar({ c: 10.25 })), ["duplicate timestamp with other values"])
    assert.deepStrictEqual(reasons(bar().replace(`"o":10`, `"o":10,"o":11`)), ["open given twice"])
  })

  it.prop("reads every number as JSON.parse does", [Schema.Array(Row)], ([rows]) => {
    const start = Date.parse("2024-01-01T05:00:00Z")
    const unique = [...new Map(rows.map((row) => [row.minute, row])).values()].sort((a, b) => a.minute - b.minute)
    const texts = unique.map(({ minute, price, volume }) =>
      bar({ t: new Date(start + minute * 60_000).toISOString(), o: price, h: price, l: price, c: price, v: volume })
    )
    const decoded = read(page(texts))
    assert.deepStrictEqual(decoded.rejects, [])
    const parsed = texts.map((text) =>
      JSON.parse(text) as { readonly o: number; readonly v: number; readonly t: string }
    )
    const bars = decoded.sessions.map(({ bars }) => bars)
    assert.deepStrictEqual(bars.flatMap(({ close }) => [...close]), parsed.map(({ o }) => o))
    assert.deepStrictEqual(bars.flatMap(({ volume }) => [...volume]), parsed.map(({ v }) => v))
    assert.deepStrictEqual(bars.flatMap(({ ts }) => [...ts]), parsed.map(({ t }) => Date.parse(t)))
  })
})
