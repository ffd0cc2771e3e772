/** Alpha Vantage's intraday call on this machine: answers the files at once. */
import * as Fs from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as Payloads from "./Payloads.ts"

export interface Vendor {
  readonly url: string
  readonly close: () => Promise<void>
}

export const start = async (directory: string): Promise<Vendor> => {
  const server = Http.createServer((request, response) => {
    const asked = new URL(request.url!, "http://localhost").searchParams
    response.writeHead(200, { "content-type": "application/json" })
    Fs.createReadStream(Payloads.pathOf(directory, asked.get("symbol")!, asked.get("month")!)).pipe(response)
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/query`,
    close: () => new Promise((done) => server.close(() => done()))
  }
}
