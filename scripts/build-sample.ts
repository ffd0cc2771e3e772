/**
 * Builds the bundled sample from the 1-minute equity files of a LEAN checkout:
 *
 *   node scripts/build-sample.ts <LEAN>/Data/equity/usa/minute
 *
 * Each `<symbol>/<yyyymmdd>_trade.zip` holds one CSV of `millisecond of day,open,high,low,close,volume`, New York time,
 * prices x 10000, without a header. The output is written next to the layer that reads it.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Zlib from "node:zlib"

const target = new URL("../src/layers/market-data/sample/bars.csv.gz", import.meta.url)
const symbols = ["spy", "ibm", "bac", "aig", "aapl", "goog"]
const header = "symbol,session,minute,open,high,low,close,volume"

/** The text of the only file in a zip, read from its local header: sizes there are filled in by LEAN's writer or zero. */
const unzip = (file: string): string => {
  const zip = Fs.readFileSync(file)
  const directory = zip.lastIndexOf(Buffer.from("PK\x01\x02", "latin1"))
  if (zip.readUInt32LE(0) !== 0x04034b50 || directory < 0) throw new Error(`${file}: not a zip`)
  const size = zip.readUInt32LE(directory + 20)
  const start = 30 + zip.readUInt16LE(26) + zip.readUInt16LE(28)
  const data = zip.subarray(start, start + size)
  return (zip.readUInt16LE(directory + 10) === 0 ? data : Zlib.inflateRawSync(data)).toString("latin1")
}

const sampleRow = (symbol: string, session: string, line: string): string => {
  const [millis, ...rest] = line.trim().split(",")
  const minute = Number(millis) / 60_000
  if (!Number.isInteger(minute) || rest.length !== 5 || !rest.every((cell) => /^\d+$/.test(cell))) {
    throw new Error(`${symbol} ${session}: ${line}`)
  }
  return [symbol, session, minute, ...rest].join(",")
}

const sessionRows = (folder: string, symbol: string, name: string): ReadonlyArray<string> => {
  const session = `${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6, 8)}`
  return unzip(Path.join(folder, symbol, name)).split("\n").filter((line) => line.trim() !== "")
    .map((line) => sampleRow(symbol.toUpperCase(), session, line))
}

const build = (folder: string): ReadonlyArray<ReadonlyArray<string>> =>
  symbols.flatMap((symbol) =>
    Fs.readdirSync(Path.join(folder, symbol)).filter((name) => name.endsWith("_trade.zip")).sort()
      .map((name) => sessionRows(folder, symbol, name))
  )

const folder = process.argv[2]
if (folder === undefined) throw new Error("usage: node scripts/build-sample.ts <folder with the symbols' minute zips>")
const sessions = build(folder)
const rows = sessions.flat()
const gzip = Zlib.gzipSync([header, ...rows, ""].join("\n"), { level: 9, memLevel: 9 })
Fs.writeFileSync(target, gzip)
console.log(`${rows.length} bars of ${sessions.length} sessions, ${gzip.length} bytes`)
