/**
 * The selection language, read into a tree.
 *
 *     union     := or ("," or)*                     the comma is a short "or"
 *     or        := and ("or" and)*    and := not ("and" not)*    not := "not" not | walk
 *     walk      := [[n] "+"] primary ["+" [n]]      generations up and down; without n, all of them
 *     primary   := "*" | name | attribute ":" value | "roots" "(" union ")" | "sinks" "(" union ")" | "(" union ")"
 *
 * Attributes: key, group, kind, owner, tag. Values may be quoted; `*` inside a key stands for any characters, `<null>`
 * for having none; `tag:k=v`, and `tag:k` for an empty value. Keywords are all lower or all upper case.
 */
import * as Result from "effect/Result"

export const ATTRIBUTES = ["key", "group", "kind", "owner", "tag"] as const
export type Attribute = (typeof ATTRIBUTES)[number]

export type Expression =
  | { readonly _tag: "everything" }
  | { readonly _tag: "name"; readonly name: string }
  | { readonly _tag: "attribute"; readonly attribute: Attribute; readonly value: string | null; readonly of?: string }
  | { readonly _tag: "not"; readonly of: Expression }
  | { readonly _tag: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly _tag: "roots" | "sinks"; readonly of: Expression }
  | { readonly _tag: "walk"; readonly up: number; readonly of: Expression; readonly down: number }

interface Token {
  readonly kind: "word" | "text" | "sign" | "end"
  readonly text: string
  /** Counted from 1. */
  readonly column: number
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9_<>*./@-]+)|([+():=,]))/y

const tokens = (text: string): Result.Result<ReadonlyArray<Token>, string> => {
  const found: Array<Token> = []
  TOKEN.lastIndex = 0
  for (let at = 0; text.slice(at).trim() !== ""; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) {
      const column = at + text.slice(at).search(/\S/) + 1
      return Result.fail(`column ${column}: "${text[column - 1]}" has no meaning here`)
    }
    const [whole, quoted, word, sign] = match
    const column = at + whole.search(/\S/) + 1
    if (quoted !== undefined) found.push({ kind: "text", text: quoted.replace(/\\(.)/g, "$1"), column })
    else found.push({ kind: word === undefined ? "sign" : "word", text: word ?? sign!, column })
  }
  found.push({ kind: "end", text: "", column: text.length + 1 })
  return Result.succeed(found)
}

/** What was expected where; thrown inside this module only. */
class Unexpected {
  readonly column: number
  readonly sentence: string
  constructor(column: number, sentence: string) {
    this.column = column
    this.sentence = sentence
  }
}

class Reader {
  private at = 0
  private readonly all: ReadonlyArray<Token>
  constructor(all: ReadonlyArray<Token>) {
    this.all = all
  }

  get next(): Token {
    return this.all[this.at]!
  }

  take(): Token {
    return this.all[this.at++]!
  }

  takeSign(sign: string): boolean {
    return this.next.kind === "sign" && this.next.text === sign && this.take() !== undefined
  }

  takeKeyword(keyword: string): boolean {
    const { kind, text } = this.next
    return kind === "word" && (text === keyword || text === keyword.toUpperCase()) && this.take() !== undefined
  }

  fail(expected: string): never {
    const { column, kind, text } = this.next
    throw new Unexpected(column, `expected ${expected}, found ${kind === "end" ? "the end" : `"${text}"`}`)
  }

  expectSign(sign: string): void {
    if (!this.takeSign(sign)) this.fail(`"${sign}"`)
  }

  /** A number where generations are counted. */
  takeCount(): number | undefined {
    return this.next.kind === "word" && /^\d+$/.test(this.next.text) ? Number(this.take().text) : undefined
  }

  /** True at `2+`, where the word is a count and no name. */
  get startsWithCount(): boolean {
    const after = this.all[this.at + 1]
    return this.next.kind === "word" && /^\d+$/.test(this.next.text) && after?.kind === "sign" && after.text === "+"
  }
}

const union = (reader: Reader): Expression => {
  let left = or(reader)
  while (reader.takeSign(",")) left = { _tag: "or", left, right: or(reader) }
  return left
}

const or = (reader: Reader): Expression => {
  let left = and(reader)
  while (reader.takeKeyword("or")) left = { _tag: "or", left, right: and(reader) }
  return left
}

const and = (reader: Reader): Expression => {
  let left = not(reader)
  while (reader.takeKeyword("and")) left = { _tag: "and", left, right: not(reader) }
  return left
}

const not = (reader: Reader): Expression => reader.takeKeyword("not") ? { _tag: "not", of: not(reader) } : walk(reader)

const walk = (reader: Reader): Expression => {
  let up = 0
  if (reader.startsWithCount) {
    up = reader.takeCount()!
    reader.expectSign("+")
  } else if (reader.takeSign("+")) up = Number.POSITIVE_INFINITY
  const of = primary(reader)
  const down = reader.takeSign("+") ? reader.takeCount() ?? Number.POSITIVE_INFINITY : 0
  return up === 0 && down === 0 ? of : { _tag: "walk", up, of, down }
}

/** A word that is neither a name nor a value, unless it is quoted. */
const KEYWORD = /^(and|or|not|AND|OR|NOT)$/

const EXPECTED = `an asset name, ${ATTRIBUTES.map((name) => `${name}:`).join(", ")}, roots(…), sinks(…), "(" or "*"`

const primary = (reader: Reader): Expression => {
  if (reader.takeSign("(")) {
    const inner = union(reader)
    reader.expectSign(")")
    return inner
  }
  const { kind, text } = reader.next
  if (kind === "text") return { _tag: "name", name: reader.take().text }
  if (kind !== "word" || KEYWORD.test(text)) return reader.fail(EXPECTED)
  reader.take()
  if (reader.next.kind === "sign" && reader.next.text === "(") return call(reader, text)
  if (reader.takeSign(":")) return attribute(reader, text)
  return text === "*" ? { _tag: "everything" } : { _tag: "name", name: text }
}

const call = (reader: Reader, name: string): Expression => {
  const lower = name === name.toUpperCase() ? name.toLowerCase() : name
  if (lower !== "roots" && lower !== "sinks") return reader.fail(`roots(…) or sinks(…) instead of ${name}(…)`)
  reader.expectSign("(")
  const of = union(reader)
  reader.expectSign(")")
  return { _tag: lower, of }
}

const value = (reader: Reader, what: string): string => {
  const { kind, text } = reader.next
  return kind === "text" || (kind === "word" && !KEYWORD.test(text)) ? reader.take().text : reader.fail(what)
}

const attribute = (reader: Reader, name: string): Expression => {
  const known = ATTRIBUTES.find((one) => one === name)
  if (known === undefined) return reader.fail(`one of ${ATTRIBUTES.join(", ")} before ":" instead of "${name}"`)
  const quoted = reader.next.kind === "text"
  const first = value(reader, `a value after ${name}:`)
  if (known === "tag") {
    const tagged = reader.takeSign("=") ? value(reader, `a value after ${name}:${first}=`) : ""
    return { _tag: "attribute", attribute: known, of: first, value: tagged }
  }
  return { _tag: "attribute", attribute: known, value: first === "<null>" && !quoted ? null : first }
}

/** The tree, or a sentence with the column and what was expected there. */
export const parse = (text: string): Result.Result<Expression, string> =>
  Result.flatMap(tokens(text), (all) => {
    try {
      const reader = new Reader(all)
      const found = union(reader)
      return reader.next.kind === "end" ? Result.succeed(found) : reader.fail("\"and\", \"or\" or the end")
    } catch (cause) {
      if (cause instanceof Unexpected) return Result.fail(`column ${cause.column}: ${cause.sentence}`)
      throw cause
    }
  })
