/**
 * An S3 on a real socket, for the SDK's own client: objects with conditional writes, ranges, paging, uploads in parts,
 * `aws-chunked` bodies, CRC32 checksums and signatures' scope and age, in memory, addressed by path. A hook sees every
 * request and may let it fail in any of the ways in which a network or S3 does.
 *
 * The dialect `gcs` is what is known of Google's interoperability: generations instead of `If-Match`, and no trailers.
 */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as S3ServerBody from "./S3ServerBody.ts"
import * as S3ServerError from "./S3ServerError.ts"
import * as S3ServerHandlers from "./S3ServerHandlers.ts"
import { Bucket, Buckets } from "./S3ServerObjects.ts"
import * as S3ServerXml from "./S3ServerXml.ts"

/** What may happen to a request instead of its answer. */
export type Fault =
  /** The connection ends: `before` S3 has done anything, or `after` it has done everything. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  /** An error answer; nothing is done. */
  | { readonly kind: "error"; readonly error: S3ServerError.S3ServerError }
  /** The answer's body stops after some bytes. */
  | { readonly kind: "cut"; readonly after: number }
  /** Waits, then goes on (`before`) or answers (`after`); what is a function is called when the moment has come. */
  | {
    readonly kind: "wait"
    readonly when: "before" | "after"
    readonly until: Promise<unknown> | (() => Promise<unknown>)
  }

export interface Seen {
  /** `PutObject`, `GetObject`, … */
  readonly operation: string
  readonly key: string
  readonly method: string
  readonly headers: Http.IncomingHttpHeaders
}

export interface Options {
  readonly region?: string
  readonly buckets?: ReadonlyArray<string>
  readonly port?: number
  readonly host?: string
  readonly dialect?: "s3" | "gcs"
  /** Milliseconds by which the server's clock is ahead. */
  readonly clockOffset?: number
}

export interface S3Server {
  readonly url: string
  readonly region: string
  readonly buckets: Buckets
  /** Every request that came, in order; faults included. */
  readonly seen: ReadonlyArray<Seen>
  /** Called for every request; replaces the hook before it. */
  readonly onRequest: (hook: (seen: Seen) => Fault | undefined) => void
  readonly close: () => Promise<void>
}

export const start = (options: Options = {}): Promise<S3Server> => {
  const buckets = new Buckets()
  for (const name of options.buckets ?? ["lake"]) buckets.all.set(name, new Bucket())
  const seen: Array<Seen> = []
  const region = options.region ?? "us-east-1"
  let hook: (seen: Seen) => Fault | undefined = () => undefined
  const server = Http.createServer((request, response) => {
    const call = S3ServerHandlers.parse(request, buckets)
    const one = { operation: call.operation, key: call.key, method: call.method, headers: request.headers }
    seen.push(one)
    const now = Date.now() + (options.clockOffset ?? 0)
    void serve({ call, request, response, now, region, fault: hook(one), gcs: options.dialect === "gcs" })
  })
  server.keepAliveTimeout = 30_000
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", () => {
      const { address, port } = server.address() as AddressInfo
      resolve({
        url: `http://${address}:${port}`,
        region,
        buckets,
        seen,
        onRequest: (next) => void (hook = next),
        close: () => new Promise((done) => (server.close(() => done()), server.closeAllConnections()))
      })
    })
  })
}

/** Ends with the scope. */
export const make = (options: Options = {}) =>
  Effect.acquireRelease(Effect.promise(() => start(options)), (server) => Effect.promise(server.close))

interface Exchange {
  readonly call: S3ServerHandlers.Call
  readonly request: Http.IncomingMessage
  readonly response: Http.ServerResponse
  readonly now: number
  readonly region: string
  readonly fault: Fault | undefined
  readonly gcs: boolean
}

const serve = async (exchange: Exchange): Promise<void> => {
  const { call, fault, now, request, response } = exchange
  try {
    if (fault?.kind === "drop" && fault.when === "before") return void request.socket.destroy()
    const body = await S3ServerBody.read(request)
    if (fault?.kind === "error") throw fault.error
    await waited(fault, "before")
    authorize(exchange)
    const answer = S3ServerHandlers.handle({ ...call, body, now, gcs: exchange.gcs })
    await waited(fault, "after")
    if (fault?.kind === "drop" && fault.when === "after") return void request.socket.destroy()
    send(exchange, answer)
  } catch (cause) {
    // The client went away in the middle of its own request.
    if (request.socket.destroyed) return
    const error = cause instanceof S3ServerError.S3ServerError
      ? cause
      : new S3ServerError.S3ServerError(500, "InternalError", String(cause))
    response.setHeader("date", new Date(now).toUTCString())
    sendError(exchange, error)
  }
}

const waited = async (fault: Fault | undefined, when: "before" | "after"): Promise<void> => {
  if (fault?.kind !== "wait" || fault.when !== when) return
  await (typeof fault.until === "function" ? fault.until() : fault.until)
}

const send = ({ call, fault, response, request }: Exchange, answer: S3ServerHandlers.Answer): void => {
  const body = answer.body ?? Buffer.alloc(0)
  response.writeHead(answer.status, { "content-length": body.length, ...answer.headers })
  if (fault?.kind !== "cut") return void response.end(call.method === "HEAD" ? undefined : body)
  response.write(body.subarray(0, fault.after), () => request.socket.destroy())
}

const sendError = ({ call, response }: Exchange, error: S3ServerError.S3ServerError): void => {
  const text = S3ServerXml.document("Error", [
    ["Code", error.code],
    ["Message", error.message],
    ...Object.entries(error.fields),
    ["RequestId", "STANDIN"],
    ["HostId", "stand-in"]
  ])
  response.writeHead(error.status, { "content-type": "application/xml", ...error.headers })
  response.end(call.method === "HEAD" ? undefined : text)
}

const SKEW = 15 * 60_000

/** The signature's scope and age; its digest would need the secret and is the SDK's own business. */
const authorize = ({ now, region, request }: Exchange): void => {
  const found =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$/
      .exec(request.headers.authorization ?? "")
  if (found === null) throw S3ServerError.denied
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(request.headers["x-amz-date"]))
  if (date === null) throw S3ServerError.denied
  const [year, month, day, hour, minute, second] = date.slice(1).map(Number)
  if (Math.abs(Date.UTC(year!, month! - 1, day, hour, minute, second) - now) > SKEW) throw S3ServerError.skewed
  if (found[1] !== region) throw S3ServerError.wrongRegion(found[1]!, region)
}
