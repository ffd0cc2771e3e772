/** A real HTTP server on a port of its own, for what a vendor would answer. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

export interface Answer {
  readonly status?: number
  readonly headers?: { readonly [name: string]: string }
  readonly body: string
}

/** An answer, or what to do with the socket instead. */
export type Handler = (
  url: URL,
  headers: Http.IncomingHttpHeaders
) => Answer | ((response: Http.ServerResponse) => void)

export interface Served {
  readonly baseUrl: string
  /** What was asked for so far. */
  readonly calls: ReadonlyArray<URL>
}

/** Runs until the scope closes. */
export const serve = (handler: Handler) => {
  const calls: Array<URL> = []
  const server = Http.createServer((message, response) => {
    const url = new URL(message.url!, "http://127.0.0.1")
    calls.push(url)
    const answer = handler(url, message.headers)
    if (typeof answer === "function") answer(response)
    else response.writeHead(answer.status ?? 200, answer.headers).end(answer.body)
  })
  return Effect.acquireRelease(
    Effect.callback<Served>((resume) => {
      server.listen(
        0,
        "127.0.0.1",
        () =>
          resume(Effect.succeed({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bars`, calls }))
      )
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
}
