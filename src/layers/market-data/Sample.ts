/**
 * Reads a sample file: gzip of CSV `symbol,session,minute,open,high,low,close,volume`, symbol after symbol, sessions and
 * minutes ascending. See `sample/README.md` for the format and for how to edit it.
 *
 * Whether a bar makes sense is not judged here: an edited sample may hold a bad bar to see it quarantined. A line of
 * another shape is a mistake of the file's author and stops with its number.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import * as Zone from "../../runtime/partition/Zone.ts"

const columns = ["symbol", "session", "minute", "open", "high", "low", "close", "volume"] as const
const header = columns.join(",")
/** Unpacked; more than this is a mistake or a gzip bomb. */
const TEXT_LIMIT = 256 * 1024 * 1024

export class SampleError extends Schema.TaggedError<SampleError>()("SampleError", {
  file: Schema.String,
  /** Counted from 1, the header included; null when the trouble is the file itself. */
  line: Schema.NullOr(Schema.Finite),
  problem: Schema.String,
  /** What the person does next. */
  fix: Schema.String
}) {
  override get message(): string {
    return `sample ${this.file}${this.line === null ? "" : `, line ${this.line}`}: ${this.problem}`
  }
}

/** Rows `from` (inclusive) to `to` (exclusive) of one symbol and session. */
export interface Span {
  readonly symbol: string
  readonly session: string
  readonly from: number
  readonly to: number
}

export interface Rows {
  /** In the order of the file. */
  readonly spans: ReadonlyArray<Span>
  /** Minutes from New York midnight to the start of the bar. */
  readonly minute: Int32Array
  /** Open, high, low, close (x 10000) and volume of each row, `WIDTH` numbers side by side. */
  readonly values: Float64Array
}

export interface Sample extends Rows {
  /** Names the content of the file. */
  readonly digest: string
}

export const WIDTH = 5

/** Blocks for some 20 ms: it runs once, before anything else. */
export const load = Effect.fn("Sample.load")(function*(file: string) {
  const text = yield* read(file)
  const found = parse(text)
  if ("problem" in found) return yield* new SampleError({ file, ...found })
  return { ...found, digest: Crypto.createHash("sha256").update(text, "latin1").digest("hex").slice(0, 8) }
})

const read = (file: string): Effect.Effect<string, SampleError> => {
  const failed = (problem: string, fix: string) => new SampleError({ file, line: null, problem, fix })
  const packed = Effect.try({
    try: () => Fs.readFileSync(file),
    catch: (cause) =>
      failed(`cannot be read (${codeOf(cause)})`, "set BAROGRAPH_SAMPLE to a readable file, or unset it")
  })
  return Effect.flatMap(packed, (bytes) =>
    Effect.try({
      try: () => Zlib.gunzipSync(bytes, { maxOutputLength: TEXT_LIMIT }).toString("latin1"),
      catch: (cause) =>
        failed(`is not a whole gzip file (${codeOf(cause)})`, "pack it again: gzip < bars.csv > my.csv.gz")
    }))
}

const codeOf = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)

interface Malformed {
  readonly line: number
  readonly problem: string
  readonly fix: string
}

const parse = (text: string): Rows | Malformed => {
  const lines = text.split("\n")
  if (lines[0]!.trimEnd() !== header) {
    return { line: 1, problem: "not the header", fix: `begin the file with ${header}` }
  }
  const rows = new Collector(lines.length)
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at]!.trimEnd()
    if (line === "" && at === lines.length - 1) break
    const cells = line.split(",")
    const problem = malformed(cells) ?? rows.add(cells)
    if (problem !== undefined) return { line: at + 1, problem, fix: `write the line as ${header}` }
  }
  return rows.sample()
}

class Collector {
  private readonly spans: Array<Span> = []
  private readonly symbols = new Set<string>()
  private readonly minute: Int32Array
  private readonly values: Float64Array
  private current = { symbol: "", session: "", from: 0 }
  private row = 0

  constructor(room: number) {
    this.minute = new Int32Array(room)
    this.values = new Float64Array(room * WIDTH)
  }

  /** Why the row may not stand here, or undefined. */
  add(cells: ReadonlyArray<string>): string | undefined {
    const problem = this.misplaced(cells)
    if (problem !== undefined) return problem
    const [symbol, session] = cells as [string, string]
    if (symbol !== this.current.symbol || session !== this.current.session) this.begin(symbol, session)
    this.minute[this.row] = Number(cells[2])
    for (let i = 0; i < WIDTH; i++) this.values[this.row * WIDTH + i] = Number(cells[3 + i])
    this.row++
    return undefined
  }

  sample(): Rows {
    this.begin("", "")
    return { spans: this.spans, minute: this.minute, values: this.values }
  }

  private begin(symbol: string, session: string): void {
    if (this.row > 0) this.spans.push({ ...this.current, to: this.row })
    this.current = { symbol, session, from: this.row }
    this.symbols.add(symbol)
  }

  private misplaced([symbol, session, minute]: ReadonlyArray<string>): string | undefined {
    if (symbol !== this.current.symbol) {
      return this.symbols.has(symbol!)
        ? `${symbol} again, rows of other symbols between`
        : undefined
    }
    const ascends = session === this.current.session
      ? this.minute[this.row - 1]! < Number(minute)
      : this.current.session < session!
    return ascends ? undefined : "not after the line before: sessions and minutes ascend"
  }
}

const malformed = (cells: ReadonlyArray<string>): string | undefined => {
  if (cells.length !== columns.length) return `${cells.length} columns instead of ${columns.length}`
  if (!/^[A-Z0-9.^-]{1,20}$/.test(cells[0]!)) return `symbol not readable: ${cells[0]}`
  if (!Zone.isDate(cells[1]!)) return `session is not a date YYYY-MM-DD: ${cells[1]}`
  if (!/^\d{1,4}$/.test(cells[2]!) || Number(cells[2]) >= 1440) return `minute is not 0 to 1439: ${cells[2]}`
  const bad = cells.findIndex((cell, column) => column > 2 && !/^-?\d{1,15}$/.test(cell))
  return bad === -1 ? undefined : `${columns[bad]} is not a whole number: ${cells[bad]}`
}
