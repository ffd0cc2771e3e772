import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as TimeAxis from "../../../src/runtime/partition/TimeAxis.ts"
import { declarations } from "./golden/Declarations.ts"
import * as Independent from "./golden/Independent.ts"
import * as Lines from "./golden/Lines.ts"

const golden = Fs.readFileSync(new URL("golden/windows.tsv", import.meta.url), "utf8").trim().split("\n")

const assertSame = (lines: ReadonlyArray<string>): void => {
  const written = golden.slice(1)
  for (let i = 0; i < Math.max(lines.length, written.length); i++) {
    assert.strictEqual(lines[i], written[i], `line ${i + 2}`)
  }
}

describe("the golden file of time windows", () => {
  it("has more than a thousand of them, in four zones", () => {
    assert.strictEqual(golden[0], Lines.HEADER)
    assert.isAtLeast(golden.length - 1, 1000)
    assert.deepStrictEqual([...new Set(golden.slice(1).map((line) => line.split("\t")[0]))], [
      "Europe/Berlin",
      "America/New_York",
      "Asia/Kolkata",
      "Australia/Lord_Howe"
    ])
  })

  it("is what the time axes say, line by line", () => {
    assertSame(Lines.lines())
  })

  it("is what independent libraries say, line by line", () => {
    assertSame(Independent.lines())
  })

  it("has keys that are read back as their windows", () => {
    for (const declaration of declarations) {
      const axis = TimeAxis.axis(declaration.dimension, Date.parse("2020-01-01"))
      for (let i = 0; i < axis.length; i++) {
        const window = { key: axis.keyAt(i), start: axis.startAt(i), end: axis.endAt(i) }
        assert.deepStrictEqual(TimeAxis.parseKey(declaration.dimension, window.key), window)
      }
    }
  })
})
