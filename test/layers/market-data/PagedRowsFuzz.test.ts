import { assert, describe, it } from "@effect/vitest"
import * as BarsJson from "../../../src/layers/market-data/alpaca/BarsJson.ts"
import * as KlinesJson from "../../../src/layers/market-data/binance/KlinesJson.ts"
import type { Decoded } from "../../../src/layers/market-data/MarketData.ts"
import * as PagedRows from "../../../src/layers/market-data/PagedRows.ts"
import { type Random, randomOf } from "../../support/AlphaVantageText.ts"
import * as PagesOracle from "../../support/PagesOracle.ts"
import * as PagesText from "../../support/PagesText.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const pick = <A>(random: Random, ...choices: ReadonlyArray<A>): A => choices[random(choices.length)]!

const flat = ({ sessions }: Decoded) =>
  sessions.flatMap(({ bars }) =>
    Array.from(bars.ts, (ts, at) => [ts, bars.open[at], bars.high[at], bars.low[at], bars.close[at], bars.volume[at]])
  )

interface Vendor {
  readonly name: string
  readonly shape: PagedRows.Shape
  readonly pages: (random: Random, count: number, index: number) => ReadonlyArray<string>
  readonly oracle: typeof PagesOracle.alpaca
  /** A page around the text of an array of rows. */
  readonly around: (rows: string, blank: string) => string
  /** A row's text as names and texts of values; a name is empty in an array. */
  readonly open: string
  readonly close: string
}

const vendors: ReadonlyArray<Vendor> = [
  {
    name: "Alpaca",
    shape: BarsJson.shape("1min", 60_000),
    pages: PagesText.alpaca,
    oracle: PagesOracle.alpaca,
    around: (rows, blank) => `{${blank}"bars":${blank}{"IBM"${blank}:${rows}},"next_page_token":null}`,
    open: "{",
    close: "}"
  },
  {
    name: "Binance",
    shape: KlinesJson.shape("1min", 60_000),
    pages: PagesText.binance,
    oracle: PagesOracle.binance,
    around: (rows, blank) => `${blank}${rows}${blank}`,
    open: "[",
    close: "]"
  }
]

const odd = [
  "\"\"",
  "null",
  "\"None\"",
  "\"1e3\"",
  "1e2",
  "1.5E-3",
  "-5",
  "0",
  "0.0",
  "\"12.\"",
  "\".5\"",
  "{\"a\":[1,{}]}",
  "999999999999999999.99",
  "123456789012",
  "1234567890.123456",
  "\"00012.5000\"",
  "\"\\u0031\\u0032.5\"",
  "\"\\u0022\"",
  "true",
  "0.1234567890123456789",
  "\"2024-01-05T10:00:00Z\"",
  "\"2024-02-30T10:00:00Z\"",
  "\"2024-01-05T10:00:00.000Z\"",
  "\"2024-01-05T05:00:00-05:00\"",
  "\"2024-01-05T10:00:60Z\"",
  "1704448800000",
  "1704448800001",
  "\"1704448800000\""
]

const shuffled = <A>(random: Random, items: ReadonlyArray<A>): Array<A> => {
  const all = [...items]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random(at + 1)
    ;[all[at], all[other]] = [all[other]!, all[at]!]
  }
  return all
}

/** A vendor's row, some of its values, names and order changed. */
const changed = (vendor: Vendor, random: Random, row: string, order: ReadonlyArray<number>): string => {
  const given = row.slice(1, -1).split(/,(?=["\d])/).map((field) => /^("[a-z]+":)?(.*)$/.exec(field)!.slice(1))
  let fields = vendor.open === "{" ? order.map((at) => given[at]!) : given
  if (random(3) > 0) return write(vendor, fields)
  fields = fields.map(([name, value]) =>
    [random(12) === 0 ? escaped(name) : name, random(10) === 0 ? pick(random, ...odd) : value] as Array<string>
  )
  if (random(8) === 0) fields = fields.slice(random(2))
  if (random(8) === 0) fields = [...fields, fields[random(fields.length)] ?? []]
  return write(vendor, fields)
}

const escaped = (name: string | undefined): string =>
  name === undefined ? "" : name.replace(/[a-z]/, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)

const write = ({ close, open }: Vendor, fields: ReadonlyArray<ReadonlyArray<string | undefined>>): string =>
  `${open}${fields.map(([name, value]) => `${name ?? ""}${value ?? "0"}`).join(",")}${close}`

const rowsOf = (vendor: Vendor, random: Random, count: number): ReadonlyArray<string> =>
  vendor.pages(random, count, random(100)).flatMap((page) =>
    page.match(vendor.open === "{" ? /\{"t"[^}]*\}/g : /\[\d[^\]]*\]/g) ?? []
  )

/** The text of an array of rows, however odd, that `JSON.parse` accepts. */
const arrayOf = (vendor: Vendor, random: Random): string => {
  const order = random(2) === 0 ? [0, 1, 2, 3, 4, 5, 6, 7] : shuffled(random, [0, 1, 2, 3, 4, 5, 6, 7])
  let rows = rowsOf(vendor, random, random(60)).map((row) => changed(vendor, random, row, order))
  if (random(4) === 0) rows = shuffled(random, rows)
  if (rows.length > 0 && random(3) === 0) rows.push(rows[random(rows.length)]!)
  if (random(6) === 0) rows.splice(random(rows.length + 1), 0, pick(random, "[1]", "{}", "null", "\"row\"", "[]"))
  const blank = pick(random, "", "", "\n", "\r\n  ", " ")
  return `[${blank}${rows.join(`${blank},${blank}`)}${blank}]`
}

for (const vendor of vendors) {
  const decode = PagedRows.decoder(vendor.shape)
  const read = (bytes: Uint8Array): Decoded => decode(vendor.shape.format, bytes)

  describe(`${vendor.name}'s fast decoder`, () => {
    it("agrees with the Schema on every valid answer: orders, escapes, duplicates, odd values, BOM, CRLF", () => {
      let [kept, rejected] = [0, 0]
      for (let seed = 1; seed <= 200; seed++) {
        const random = randomOf(seed * 7919)
        const rows = arrayOf(vendor, random)
        const page = vendor.around(rows, pick(random, "", "\r\n", " "))
        assert.doesNotThrow(() => JSON.parse(page) as unknown, `seed ${seed}`)
        const fast = read(encode(`${pick(random, "", "\uFEFF", " \n")}${page}${pick(random, "", "\r\n")}`))
        const slow = PagesOracle.decode(rows, vendor.oracle)
        assert.deepStrictEqual(flat(fast), slow.bars.map((bar) => [...bar]), `seed ${seed}`)
        assert.strictEqual(fast.rejects.length, slow.rejected, `seed ${seed}`)
        kept += slow.bars.length
        rejected += slow.rejected
      }
      assert.isAbove(kept, 3000)
      assert.isAbove(rejected, 300)
    })

    it("agrees with the Schema on a whole month as the vendor prints it", () => {
      const pages = vendor.pages(randomOf(3), 5_500, 7)
      const fast = read(encode(pages.join("\n")))
      const rows = `[${
        pages.flatMap((page) => page.match(vendor.open === "{" ? /\{"t"[^}]*\}/g : /\[\d[^\]]*\]/g)!).join(",")
      }]`
      assert.deepStrictEqual(
        flat(fast),
        PagesOracle.decode(rows, vendor.oracle).bars.map((bar) => [...bar])
      )
      assert.strictEqual(fast.rejects.length, 0)
      assert.isTrue(fast.complete)
    })

    /** A blank in a row makes it unlike the others: where every row has one somewhere else, each is read the careful way. */
    it("says of damaged answers what the careful reading says: changed, cut, repeated and dropped bytes", () => {
      let damaged = 0
      for (let seed = 1; seed <= 800; seed++) {
        const random = randomOf(seed * 104_729)
        const [first, ...others] = rowsOf(vendor, random, 2 + random(40))
        let rest = encode(
          `,${others.join(",")}${vendor.around("[]", "").slice(vendor.around("[]", "").lastIndexOf("[") + 1)}\n`
        )
        for (let changes = random(4); changes >= 0 && rest.length > 0; changes--) {
          const at = random(rest.length)
          const kind = random(4)
          if (kind === 0) {
            rest[at] = pick(random, 34, 92, 123, 125, 91, 93, 44, 58, 46, 45, 48 + random(10), random(256))
          } else if (kind === 1) rest = rest.slice(0, at)
          else if (kind === 2) {
            rest = Uint8Array.from(Buffer.concat([rest.subarray(0, at), rest.subarray(at - random(at + 1))]))
          } else rest = Uint8Array.from(Buffer.concat([rest.subarray(0, at), rest.subarray(at + random(300))]))
        }
        const head = vendor.around("[]", "").slice(0, vendor.around("[]", "").lastIndexOf("[") + 1)
        const joined = (row: string) => Uint8Array.from(Buffer.concat([encode(head + row), rest]))
        // After a first row that no other one looks like every row is read the careful way.
        const careful = read(joined(first!.replace(",", " ,")))
        const fast = read(joined(first!))
        assert.deepStrictEqual(fast, careful, `seed ${seed}`)
        damaged += fast.complete ? 0 : 1
      }
      assert.isAbove(damaged, 300)
    })

    it("reads a page of 60,000 rows and 100,000 levels of nesting", () => {
      const rows = rowsOf(vendor, randomOf(5), 60_000)
      assert.strictEqual(flat(read(encode(vendor.around(`[${rows.join(",")}]`, "")))).length, 60_000)
      assert.isFalse(read(encode(vendor.around(`[${rows[0]},${"[".repeat(100_000)}`, ""))).complete)
    })
  })
}
