import { assert, describe, it } from "@effect/vitest"
import { decode } from "../../../../src/layers/market-data/alpha-vantage/SeriesJson.ts"
import type { Decoded } from "../../../../src/layers/market-data/MarketData.ts"
import * as AlphaVantageText from "../../../support/AlphaVantageText.ts"
import * as SeriesOracle from "../../../support/SeriesOracle.ts"

type Random = AlphaVantageText.Random

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const pick = <A>(random: Random, ...choices: ReadonlyArray<A>): A => choices[random(choices.length)]!

const shuffled = <A>(random: Random, items: ReadonlyArray<A>): Array<A> => {
  const all = [...items]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random(at + 1)
    const kept = all[at]!
    all[at] = all[other]!
    all[other] = kept
  }
  return all
}

/** A JSON string with some of its characters escaped. */
const escaped = (random: Random, text: string): string =>
  `"${
    [...text].map((char) => random(8) === 0 ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : char).join("")
  }"`

interface Style {
  readonly random: Random
  readonly newline: string
  readonly indent: string
  readonly colon: string
  readonly odd: boolean
}

const styleOf = (random: Random): Style => ({
  random,
  newline: pick(random, "\n", "\r\n", "", "\n\n"),
  indent: pick(random, "", "  ", "    ", "\t"),
  colon: pick(random, ":", ": ", " : "),
  odd: random(2) === 0
})

const string = ({ odd, random }: Style, text: string): string =>
  odd && random(12) === 0 ? escaped(random, text) : JSON.stringify(text)

const value = (style: Style, text: string): string => {
  const { odd, random } = style
  if (!odd || random(10) > 0) return string(style, text)
  return pick(
    random,
    text,
    "\"\"",
    "null",
    "\"None\"",
    "\"-\"",
    "\"NaN\"",
    "\"1e3\"",
    "\"-5.0000\"",
    "\"12.\"",
    "\"0.0000\"",
    "{\"a\":[1,{}]}",
    "\"999999999999999999.99\"",
    "\"00012.5000\"",
    "\"é\"",
    "\"7.5\"",
    "\".5\""
  )
}

const object = (
  { colon, indent, newline }: Style,
  depth: number,
  members: ReadonlyArray<readonly [string, string]>
) => {
  const pad = newline === "" ? "" : indent.repeat(depth)
  const lines = members.map(([name, text]) => `${pad}${name}${colon}${text}`)
  return `{${newline}${lines.join(`,${newline}`)}${newline}${newline === "" ? "" : indent.repeat(depth - 1)}}`
}

const names = ["1. open", "2. high", "3. low", "4. close", "5. volume"]

const row = (style: Style): string => {
  const { odd, random } = style
  const low = 10_000 + random(9_000_000)
  const cells = [low + random(900), low + 900 + random(900), low, low + random(900)]
    .map((tenths) => (tenths / 10_000).toFixed(4))
  const numbers = [...cells, String(random(1_000_000))]
  let members = names.map((name, at) => [string(style, name), value(style, numbers[at]!)] as const)
  if (odd && random(12) === 0) members = shuffled(random, members)
  if (odd && random(20) === 0) members = members.slice(1)
  if (odd && random(20) === 0) members = [...members, members[random(members.length)]!]
  if (odd && random(20) === 0) members = [...members, ["\"6. odd } \\\" {\"", "[{\"open\":\"1\"}]"]]
  return object(style, 3, members)
}

const labels = (random: Random, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, at) => {
    const minute = 1199 - at
    const time = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}:00`
    if (random(40) > 0) return `2024-03-0${4 + at % 4} ${time}`
    return pick(
      random,
      `2024-03-10 02:${time.slice(3)}`,
      `2024-02-30 ${time}`,
      `2024-03-05 10:00:30`,
      "2024-03-05",
      `2024-3-05 ${time}`,
      "",
      `2024-03-05T${time}`,
      `2024-03-05 24:00:00`
    )
  })

const body = (random: Random): string => {
  const style = styleOf(random)
  let entries = labels(random, random(60)).map((label) => [string(style, label), row(style)] as const)
  if (random(3) === 0) entries = shuffled(random, entries)
  if (entries.length > 0 && random(3) === 0) entries.push(entries[random(entries.length)]!)
  if (entries.length > 0 && random(3) === 0) entries.push([entries[random(entries.length)]![0], row(style)])
  const meta = object(style, 2, [
    ["\"1. Information\"", "\"Intraday (1min) open, high, low, close prices and volume\""],
    ["\"2. Symbol\"", "\"IBM\""],
    ["\"4. Interval\"", "\"1min\""],
    ["\"6. Time Zone\"", "\"US/Eastern\""]
  ])
  const members = [
    [string(style, "Meta Data"), meta] as const,
    [
      "\"Time Series (1min)\"",
      object(style, 2, entries)
    ] as const,
    ["\"Else\"", "[1,2,{\"Time Series (1min)\":{}}]"] as const
  ]
  const whole = object(style, 1, pick(random, members.slice(0, 2), members, shuffled(random, members)))
  return `${pick(random, "", "\uFEFF", " \n")}${whole}${pick(random, "", "\r\n")}`
}

const flat = ({ sessions }: Decoded) =>
  sessions.flatMap(({ bars }) =>
    Array.from(bars.ts, (ts, at) => [ts, bars.open[at], bars.high[at], bars.low[at], bars.close[at], bars.volume[at]])
  )

describe("the fast decoder", () => {
  it("agrees with the Schema on every valid answer: layouts, orders, escapes, duplicates, odd values, BOM, CRLF", () => {
    let rejected = 0
    for (let seed = 1; seed <= 400; seed++) {
      const text = body(AlphaVantageText.randomOf(seed * 7919))
      assert.doesNotThrow(() => JSON.parse(text.replace("\uFEFF", "")) as unknown, `seed ${seed}`)
      const fast = decode(encode(text), "1min")
      const slow = SeriesOracle.decode(text, 1)
      assert.isTrue(fast.complete, `seed ${seed}`)
      assert.deepStrictEqual(flat(fast), slow.bars.map((bar) => [...bar]), `seed ${seed}`)
      assert.strictEqual(fast.rejects.length, slow.rejected, `seed ${seed}`)
      rejected += slow.rejected
    }
    assert.isAbove(rejected, 500)
  })

  it("agrees with the Schema on a whole month as the vendor prints it", () => {
    const text = AlphaVantageText.month(AlphaVantageText.randomOf(3), 16_000, 7)
    const fast = decode(encode(text), "1min")
    assert.deepStrictEqual(flat(fast), SeriesOracle.decode(text, 1).bars.map((bar) => [...bar]))
    assert.strictEqual(fast.rejects.length, 0)
  })

  /** The same rows after a first one that no other row looks like: then every row is read the careful way. */
  const pair = (random: Random) => {
    const rows = AlphaVantageText.month(random, 2 + random(40), random(200))
    const at = rows.indexOf("        }", rows.indexOf("5. volume")) + 9
    const first = rows.slice(0, at)
    return {
      first: encode(first),
      careful: encode(first.replace(":00\": {", ":00\" : {")),
      rest: encode(rows.slice(at))
    }
  }

  const joined = (first: Uint8Array, rest: Uint8Array): Uint8Array => Buffer.concat([first, rest])

  it("says of damaged answers what the careful reading says: changed, cut, repeated and dropped bytes", () => {
    let damaged = 0
    for (let seed = 1; seed <= 1500; seed++) {
      const random = AlphaVantageText.randomOf(seed * 104_729)
      const { careful, first, rest } = pair(random)
      let changed = Uint8Array.from(rest)
      for (let changes = random(4); changes >= 0; changes--) {
        const at = random(changed.length)
        const kind = random(4)
        if (kind === 0) changed[at] = pick(random, 34, 92, 123, 125, 44, 58, 46, 45, 48 + random(10), random(256))
        else if (kind === 1) changed = changed.slice(0, at)
        else if (kind === 2) changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at - random(at + 1))])
        else changed = Buffer.concat([changed.subarray(0, at), changed.subarray(at + random(300))])
        if (changed.length === 0) break
      }
      const fast = decode(joined(first, changed), "1min")
      assert.deepStrictEqual(fast, decode(joined(careful, changed), "1min"), `seed ${seed}`)
      damaged += fast.complete ? 0 : 1
    }
    assert.isAbove(damaged, 500)
  })

  it("reads 40 MB of one answer, and 100,000 levels of nesting, without a deep stack", () => {
    const many = Array.from({ length: 180_000 }, (_, at) => {
      const [day, minute] = [Math.floor(at / 960), 240 + at % 960]
      const date = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10)
      const time = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}:00`
      return AlphaVantageText.row(`${date} ${time}`, 100_000, 110_000, 90_000, 105_000, at)
    })
    const huge = encode(`${AlphaVantageText.head("IBM", "2024-06-01 10:00:00")}${many.join(",\n")}}}`)
    assert.isAbove(huge.length, 38_000_000)
    assert.strictEqual(flat(decode(huge, "1min")).length + decode(huge, "1min").rejects.length, 180_000)
    const deep = encode(`${AlphaVantageText.head("IBM", "")}"a": ${"[".repeat(100_000)}`)
    assert.isFalse(decode(deep, "1min").complete)
  })
})
