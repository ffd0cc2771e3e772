/**
 * HTTP spoken on a bare socket, with every fault that a server, a proxy or a line can have. The faults are data: what
 * is written, how fast, and how the connection ends.
 */
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as Zlib from "node:zlib"

/** What happens to one request: writes to the socket and returns, or throws the socket away. */
export type Fault = (socket: Net.Socket) => void

const head = (status: string, headers: { readonly [name: string]: string | number }): string =>
  `HTTP/1.1 ${status}\r\n${
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }connection: close\r\n\r\n`

/** A plain answer. `length` says another length than the body has. */
export const answer = (
  body: string | Uint8Array,
  options: {
    readonly status?: string
    readonly headers?: { readonly [name: string]: string }
    readonly length?: number
  } = {}
): Fault =>
(socket) => {
  const bytes = typeof body === "string" ? Buffer.from(body) : body
  const { headers = {}, length = bytes.byteLength, status = "200 OK" } = options
  socket.write(head(status, { "content-type": "application/json", ...headers, "content-length": length }))
  socket.end(bytes)
}

/** Nothing but an open connection. */
export const silence: Fault = () => {}

/** Headers a byte at a time, for ever. */
export const slowHeaders: Fault = (socket) => {
  const text = `HTTP/1.1 200 OK\r\nx-slow: ${"a".repeat(100_000)}`
  trickle(socket, text)
}

/** A good beginning, then a byte at a time. */
export const slowBody = (body: string): Fault => (socket) => {
  socket.write(head("200 OK", { "content-length": Buffer.byteLength(body) }))
  trickle(socket, body)
}

const trickle = (socket: Net.Socket, text: string): void => {
  let at = 0
  const timer = setInterval(() => {
    if (socket.destroyed || at >= text.length) clearInterval(timer)
    else socket.write(text[at++]!)
  }, 10)
  socket.on("close", () => clearInterval(timer))
}

/** Half of the body, then a reset. */
export const reset = (body: string): Fault => (socket) => {
  socket.write(head("200 OK", { "content-length": Buffer.byteLength(body) }))
  socket.write(body.slice(0, body.length / 2), () => socket.resetAndDestroy())
}

/** Chunked, the last chunk never comes. */
export const openChunks = (body: string): Fault => (socket) => {
  socket.write(head("200 OK", { "transfer-encoding": "chunked" }))
  socket.end(`${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`)
}

const GZIP = { "content-encoding": "gzip" }

export const gzip = (body: string): Fault => answer(Zlib.gzipSync(body), { headers: GZIP })

/** Called gzip, and is none. */
export const falseGzip = (body: string): Fault => answer(body, { headers: GZIP })

/** The packed body ends too early, in agreement with its length. */
export const cutGzip = (body: string): Fault => {
  const packed = Zlib.gzipSync(body)
  return answer(packed.subarray(0, packed.length - 20), { headers: GZIP })
}

/** A small body that unpacks to so many megabytes. */
export const bomb = (megabytes: number): Fault =>
  answer(Zlib.gzipSync(Buffer.alloc(megabytes << 20, 32)), { headers: GZIP })

/** So many megabytes of blanks, as fast as they are taken. `sent` is told how many bytes were. */
export const flood = (megabytes: number, sent: (bytes: number) => void): Fault => (socket) => {
  socket.write(head("200 OK", { "content-length": megabytes << 20 }))
  const chunk = Buffer.alloc(1 << 16, 32)
  let left = (megabytes << 20) / chunk.length
  const more = (): void => {
    while (left-- > 0 && !socket.destroyed) if (!socket.write(chunk)) return
  }
  socket.on("drain", more)
  socket.on("close", () => sent(socket.bytesWritten))
  more()
}

export interface Served {
  readonly baseUrl: string
  /** The request lines so far. */
  readonly calls: ReadonlyArray<string>
}

/** `faults` answers the calls in turn, the last one all that follow. Runs until the scope closes. */
export const serve = (...faults: ReadonlyArray<Fault>) => {
  const calls: Array<string> = []
  const sockets = new Set<Net.Socket>()
  const server = Net.createServer((socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    // A client that gives up resets the connection: that is what is tested.
    socket.on("error", () => {})
    let text = ""
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1")
      if (!text.includes("\r\n\r\n")) return
      calls.push(text.slice(0, text.indexOf("\r\n")))
      text = ""
      faults[Math.min(calls.length, faults.length) - 1]!(socket)
    })
  })
  return Effect.acquireRelease(
    Effect.callback<Served>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as Net.AddressInfo
        resume(Effect.succeed({ baseUrl: `http://127.0.0.1:${port}/query`, calls }))
      })
    }),
    () =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )
}
