/**
 * `npm run bench:quota`: whether a fast plan's quota is used up. A server answers each call after 100 ms with a month of
 * minute bars; the program, as a process of its own, fetches more months than a minute allows with a plan of 1,200 calls
 * a minute. The server counts. Needs the bundle (`npm run build`).
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Url from "node:url"
import { table } from "./Measured.ts"

const PER_MINUTE = 1_200
const LATENCY = 100
const SYMBOLS = 20
/** First month to last: more calls than one minute allows. */
const [START, END] = ["2018-01-01", "2023-06-30"]
const bin = Url.fileURLToPath(new URL("../../bin/barograph", import.meta.url))

const two = (value: number): string => String(value).padStart(2, "0")

/** Weekdays of the month, 195 bars of two hours each: 0.8 MB. */
const month = (symbol: string, name: string): string => {
  const rows: Array<string> = []
  for (let day = 1; day <= 28; day++) {
    if ([0, 6].includes(new Date(`${name}-${two(day)}T00:00:00Z`).getUTCDay())) continue
    for (let minute = 0; minute < 195; minute++) {
      const at = 570 + minute
      const price = 100 + ((day * 195 + minute) % 977) / 100
      const fields = [price, price + 0.5, price - 0.5, price + 0.25].map((value) => value.toFixed(4))
      rows.push(
        `        "${name}-${two(day)} ${two(Math.floor(at / 60))}:${two(at % 60)}:00": {\n` +
          `            "1. open": "${fields[0]}",\n            "2. high": "${fields[1]}",\n` +
          `            "3. low": "${fields[2]}",\n            "4. close": "${fields[3]}",\n` +
          `            "5. volume": "${1000 + minute}"\n        }`
      )
    }
  }
  const meta = {
    "1. Information": "Intraday (1min) open, high, low, close prices and volume",
    "2. Symbol": symbol,
    "3. Last Refreshed": `${name}-28 12:44:00`,
    "4. Interval": "1min",
    "5. Output Size": "Full size",
    "6. Time Zone": "US/Eastern"
  }
  return `{\n    "Meta Data": ${JSON.stringify(meta)},\n    "Time Series (1min)": {\n${
    rows.reverse().join(",\n")
  }\n    }\n}`
}

const calls: Array<number> = []

const server = Http.createServer((request, response) => {
  calls.push(performance.now())
  const asked = new URL(request.url!, "http://localhost").searchParams
  setTimeout(() => {
    response.writeHead(200, { "content-type": "application/json" })
    response.end(month(asked.get("symbol")!, asked.get("month")!))
  }, LATENCY)
})

const fetched = (url: string, directory: string, concurrency: number) =>
  new Promise<void>((done, fail) => {
    const child = ChildProcess.spawn(bin, ["materialize", "--asset", "raw_bars"], {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        ALPHA_VANTAGE_API_KEY: "bench",
        ALPHA_VANTAGE_URL: `${url}/query`,
        BAROGRAPH_QUOTA: String(PER_MINUTE),
        BAROGRAPH_SYMBOLS: Array.from({ length: SYMBOLS }, (_, at) => `S${at}`).join(","),
        BAROGRAPH_START: START,
        BAROGRAPH_END: END,
        BAROGRAPH_CONCURRENCY: String(concurrency)
      }
    })
    let said = ""
    child.stderr.on("data", (chunk) => (said = `${said}${chunk}`.slice(-4_000)))
    child.on("close", (code) => code === 0 ? done() : fail(new Error(`ended with ${code}: ${said}`)))
  })

const measure = async (url: string, concurrency: number): Promise<ReadonlyArray<string>> => {
  const directory = Fs.mkdtempSync(Path.join(Os.tmpdir(), "barograph-bench-"))
  calls.length = 0
  try {
    await fetched(url, directory, concurrency)
    const inMinute = calls.filter((at) => at < calls[0]! + 60_000).length
    const seconds = (calls.at(-1)! - calls[0]!) / 1000
    return [
      String(concurrency),
      String(calls.length),
      seconds.toFixed(1),
      String(inMinute),
      `${(inMinute / PER_MINUTE * 100).toFixed(1)} %`
    ]
  } finally {
    Fs.rmSync(directory, { recursive: true, force: true })
  }
}

await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const rows: Array<ReadonlyArray<string>> = []
for (const concurrency of [4, 16]) rows.push(await measure(url, concurrency))
server.close()
table(
  `Extraction with ${LATENCY} ms of latency and ${PER_MINUTE} calls a minute`,
  ["steps at a time", "calls", "seconds", "calls in the first minute", "of the quota"],
  rows
)
