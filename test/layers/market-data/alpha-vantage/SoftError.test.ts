import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { classify } from "../../../../src/layers/market-data/alpha-vantage/SoftError.ts"

const folder = new URL("../../../fixtures/alpha-vantage/errors/", import.meta.url)

/** Every recorded text, by the number it begins with. */
const expected: Readonly<Record<string, string | undefined>> = {
  "01": "Throttled",
  "02": "Throttled",
  "03": "QuotaExhausted",
  "04": "QuotaExhausted",
  "05": "Throttled",
  "06": "NotEntitled",
  "07": "NotEntitled",
  "08": "Unauthorized",
  "09": "Throttled",
  "10": "InvalidRequest",
  "11": "Unauthorized",
  "12": "InvalidRequest",
  "13": "Unavailable",
  "14": undefined,
  "15": "Unrecognised",
  "16": undefined,
  "17": "Unavailable"
}

describe("the vendor's soft errors", () => {
  const names = Fs.readdirSync(folder)
  it("are all in the table", () => {
    assert.deepStrictEqual(names.map((name) => name.slice(0, 2)).sort(), Object.keys(expected).sort())
  })
  for (const name of names) {
    it(`${name} is ${expected[name.slice(0, 2)] ?? "no error"}`, () => {
      assert.strictEqual(classify(Fs.readFileSync(new URL(name, folder), "utf8"))?._tag, expected[name.slice(0, 2)])
    })
  }
  it("keeps a cut series for the decoder", () => {
    assert.isUndefined(classify(`{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (1min)": {"2024-01-0`))
  })
  it("never takes artificial data", () => {
    assert.strictEqual(classify(`{"message":"... ARTIFICIAL ...","Time Series (1min)":{}}`)?._tag, "Artificial")
  })
})
