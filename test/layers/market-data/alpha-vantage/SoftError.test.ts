import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { classify } from "../../../../src/layers/market-data/alpha-vantage/SoftError.ts"
import { MarketDataError } from "../../../../src/layers/market-data/MarketData.ts"

const folder = new URL("../../../fixtures/alpha-vantage/errors/", import.meta.url)
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Every recorded text, by the number it begins with: its reason, and what is done about it. */
const expected: Readonly<Record<string, readonly [reason: string | undefined, policy: string]>> = {
  "01": ["Throttled", "wait 60000"],
  "02": ["Throttled", "wait 60000"],
  "03": ["QuotaExhausted", "stop"],
  "04": ["QuotaExhausted", "stop"],
  "05": ["Throttled", "wait 1000"],
  "06": ["NotEntitled", "stop"],
  "07": ["NotEntitled", "stop"],
  "08": ["Unauthorized", "stop"],
  "09": ["Throttled", "wait 1000"],
  "10": ["InvalidRequest", "stop"],
  "11": ["Unauthorized", "stop"],
  "12": ["InvalidRequest", "stop"],
  "13": ["Unavailable", "retry"],
  "14": [undefined, "keep"],
  "15": [undefined, "keep"],
  "16": [undefined, "keep"],
  "17": ["Unavailable", "retry"]
}

const policyOf = (body: Uint8Array): readonly [string | undefined, string] => {
  const reason = classify(body)
  if (reason === undefined) return [undefined, "keep"]
  const error = new MarketDataError({ source: "alpha_vantage", symbol: "IBM", month: "2024-01", reason })
  const wait = error.retryAfterMillis > 0 ? `wait ${error.retryAfterMillis}` : "retry"
  return [reason._tag, error.retryable ? wait : "stop"]
}

describe("the vendor's soft errors", () => {
  const names = Fs.readdirSync(folder)
  it("are all in the table", () => {
    assert.deepStrictEqual(names.map((name) => name.slice(0, 2)).sort(), Object.keys(expected).sort())
  })
  for (const name of names) {
    const [reason, policy] = expected[name.slice(0, 2)]!
    it(`${name} is ${reason ?? "no error"}: ${policy}`, () => {
      assert.deepStrictEqual(policyOf(Fs.readFileSync(new URL(name, folder))), expected[name.slice(0, 2)])
    })
  }

  it("asks again for what broke off, in JSON and in CSV", () => {
    for (
      const cut of [
        `{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (1min)": {"2024-01-0`,
        `{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (1min)": {"a": {"1. open": "1"}}`,
        "timestamp,open,high,low,close,volume\r\n2024-01-03 10:00:00,1,1,1",
        "upstream connect error",
        ""
      ]
    ) assert.deepStrictEqual(policyOf(encode(cut)), ["Unavailable", "retry"], cut)
  })

  it("keeps a whole answer whatever is damaged inside, and whatever order it has", () => {
    for (
      const whole of [
        `{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (1min)": {"a": {"1. open: 1}}}`,
        `{"Time Series (1min)": {"a": {"1. open": "1"}}, "Meta Data": {"2. Symbol": "IBM"}}`,
        `\uFEFF{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (1min)": {}}\n`,
        "timestamp,open,high,low,close,volume\r\n",
        "symbol,name,exchange,assetType,ipoDate,delistingDate,status\nA,Agilent,NYSE,Stock,1999-11-18,null,Active\n",
        `{"symbol": "IBM", "data": []}`
      ]
    ) assert.isUndefined(classify(encode(whole)), whole)
  })

  it("never takes artificial data, wherever it says so", () => {
    const series = `"Time Series (1min)":{"a":{}}`
    for (const body of [`{"message":"... ARTIFICIAL ...",${series}}`, `{${series},"message":"... ARTIFICIAL ..."}`]) {
      assert.strictEqual(classify(encode(body))?._tag, "Artificial")
    }
  })

  it("does not know other JSON", () => {
    for (const body of ["[]", "17", `{"odd":"1"}`, `{"Realtime Quote":{"a":"1"}}`]) {
      assert.strictEqual(classify(encode(body))?._tag, "Unrecognised", body)
    }
  })
})
