import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as KeyFormat from "../../../src/runtime/partition/KeyFormat.ts"

const format = (pattern: string): KeyFormat.KeyFormat => Result.getOrThrow(KeyFormat.make(pattern))

const error = (pattern: string): string => {
  const made = KeyFormat.make(pattern)
  return Result.isFailure(made) ? made.failure : "no error"
}

const utc = (text: string): number => Date.parse(`${text}Z`)

const Locals = Schema.Int.check(Schema.isBetween({ minimum: utc("0001-01-01"), maximum: utc("9000-01-01") }))

describe("a key format", () => {
  it("writes each field as wide as it stands in the pattern", () => {
    const local = utc("2013-03-04T05:06")
    assert.strictEqual(KeyFormat.format(format("yyyy-MM-ddTHH:mm"), local), "2013-03-04T05:06")
    assert.strictEqual(KeyFormat.format(format("dd/MM/yyyy"), local), "04/03/2013")
    assert.strictEqual(KeyFormat.format(format("yyyyMM"), local), "201303")
    assert.strictEqual(KeyFormat.format(format("yyyy"), utc("0987-03-04")), "0987")
  })

  it.prop("reads a key back as the unit that it names", { local: Locals }, ({ local }) => {
    for (const pattern of ["yyyy", "yyyy-MM", "dd.MM.yyyy", "yyyyMMddTHH", "yyyy-MM-dd HH:mm"]) {
      const one = format(pattern)
      const key = KeyFormat.format(one, local)
      const { from, to } = KeyFormat.parse(one, key)!
      assert.isTrue(from <= local && local < to, key)
      assert.strictEqual(KeyFormat.format(one, from), key)
      assert.strictEqual(KeyFormat.format(one, to - 1), key)
      assert.notStrictEqual(KeyFormat.format(one, to), key)
    }
  })

  it("does not read what it would not write", () => {
    const keys = ["2013-02-29", "2013-13-01", "2013-00-10", "2013/01/01", "2013-1-1", "13-01-01", "x013-01-01", ""]
    for (const key of keys) assert.isUndefined(KeyFormat.parse(format("yyyy-MM-dd"), key), key)
    assert.isUndefined(KeyFormat.parse(format("yyyy-MM/yyyy"), "2013-01/2014"))
  })

  it("may not leave a field out that finer ones need", () => {
    assert.strictEqual(error("yyyy-dd"), "The format \"yyyy-dd\" has no MM, which its other fields need.")
    assert.strictEqual(error("HH:mm"), "The format \"HH:mm\" has no yyyy, which its other fields need.")
    assert.strictEqual(error("-"), "The format \"-\" has no yyyy, which its other fields need.")
  })

  it("may not have letters but those of its fields and a T", () => {
    assert.strictEqual(
      error("yyyy-MM-DD"),
      "The format \"yyyy-MM-DD\" has a \"D\"; it may have yyyy, MM, dd, HH, mm and punctuation."
    )
    assert.match(error("yy-MM-dd"), /has a "y"/)
  })
})
