/** Decodes what it is sent and hands the columns over. */
import { parentPort } from "node:worker_threads"
import { decode } from "../../src/layers/market-data/alpha-vantage/SeriesJson.ts"

parentPort!.on("message", (bytes: Uint8Array) => {
  const decoded = decode(bytes, "1min")
  const columns = decoded.sessions.flatMap(({ bars: { close, high, low, open, ts, volume } }) =>
    [ts, open, high, low, close, volume].map(({ buffer }) => buffer as ArrayBuffer)
  )
  parentPort!.postMessage(decoded, [...new Set(columns)])
})
