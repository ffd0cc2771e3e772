/** A real HTTP server that takes bodies, for what posts to it. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { Answer } from "./HttpServer.ts"

export interface Call {
  readonly path: string
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** `hang` keeps the connection and says nothing. */
export type Reply = Answer | "hang"

export interface Served {
  readonly origin: string
  readonly calls: ReadonlyArray<Call>
  /** Ends when the next call is there. */
  readonly nextCall: Effect.Effect<void>
}

/** Runs until the scope closes. */
export const serve = (handler: (call: Call) => Reply) => {
  const calls: Array<Call> = []
  const waiting: Array<() => void> = []
  const server = Http.createServer((request, response) => {
    const chunks: Array<Uint8Array> = []
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk))
    request.on("end", () => {
      const call = { path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() }
      calls.push(call)
      const reply = request.method === "POST" ? handler(call) : { status: 405, body: "method_not_allowed" }
      if (reply !== "hang") response.writeHead(reply.status ?? 200, reply.headers).end(reply.body)
      for (const wake of waiting.splice(0)) wake()
    })
  })
  const nextCall = Effect.callback<void>((resume) => void waiting.push(() => resume(Effect.void)))
  return Effect.acquireRelease(
    Effect.callback<Served>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed({ origin, calls, nextCall }))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
}
