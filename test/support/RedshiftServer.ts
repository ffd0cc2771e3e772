/**
 * The Redshift Data API on a real socket, in front of PostgreSQL: AWS JSON 1.1 with the service's limits, error shapes
 * and idempotence, for the SDK's own clients. A hook sees every request twice, before it is done and before it is
 * answered, and may refuse it, cut it off or hold it. What could not be read in the service's model or seen of a live
 * server is marked so.
 */
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as RedshiftStatements from "./RedshiftStatements.ts"

export interface Moment {
  readonly phase: "received" | "answering"
  readonly action: string
  /** Counts requests from 0. */
  readonly request: number
  readonly body: { readonly [field: string]: unknown }
}

export type Fault =
  /** The connection breaks: a dropped request when it was received, a lost reply when it is answered. */
  | { readonly _tag: "Cut" }
  /** The connection breaks in the middle of the answer. */
  | { readonly _tag: "CutBody" }
  | { readonly _tag: "Refuse"; readonly type: string; readonly message: string; readonly status?: number }

export interface Options extends RedshiftStatements.Options {
  readonly region?: string
  readonly workgroups?: ReadonlyArray<string>
  readonly clusters?: ReadonlyArray<string>
  readonly host?: string
  readonly port?: number
  readonly pageRows?: number
  readonly activeLimit?: number
  /** How far the service's clock is ahead of ours, in milliseconds. */
  readonly clockAhead?: number
  /** False for a service that answers at once where it is asked to wait. */
  readonly grantsWaiting?: boolean
  readonly hook?: (moment: Moment) => Fault | void | Promise<Fault | void>
}

export interface RedshiftServer {
  readonly url: string
  /** The actions asked for, in order. */
  readonly requests: Array<string>
  readonly statements: RedshiftStatements.RedshiftStatements
  /** Until no request is being served and nothing runs any more, also what nobody waits for. */
  readonly idle: () => Promise<void>
  readonly close: () => Promise<void>
}

class ApiError extends Error {
  readonly type: string
  readonly status: number
  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

type Body = { readonly [field: string]: unknown }

const invalid = (message: string): ApiError => new ApiError("ValidationException", message)
const text = (body: Body, field: string): string | undefined => body[field] as string | undefined
const seconds = (millis: number): number => millis / 1000

const STATEMENT_BYTES = 100 * 1024

class Handler {
  private readonly tokens = new Map<string, string>()
  private readonly options: Options
  private readonly statements: RedshiftStatements.RedshiftStatements

  constructor(options: Options, statements: RedshiftStatements.RedshiftStatements) {
    this.options = options
    this.statements = statements
  }

  async answer(action: string, body: Body): Promise<unknown> {
    switch (action) {
      case "ExecuteStatement":
        return this.submit(body, [String(body["Sql"] ?? "")], false)
      case "BatchExecuteStatement":
        return this.submit(body, (body["Sqls"] as ReadonlyArray<string> | undefined) ?? [], true)
      case "DescribeStatement":
        return this.describe(body)
      case "GetStatementResult":
        return this.result(body)
      case "CancelStatement":
        return this.cancel(body)
      case "ListStatements":
        return this.list(body)
      default:
        throw new ApiError("UnknownOperationException", `no operation ${action}`)
    }
  }

  private async submit(body: Body, sqls: ReadonlyArray<string>, isBatch: boolean): Promise<unknown> {
    this.checkTarget(body)
    checkStatements(sqls, text(body, "ClientToken"))
    const token = text(body, "ClientToken")
    const known = token === undefined ? undefined : this.statements.all.get(this.tokens.get(token) ?? "")
    const statement = known ?? await this.start(body, sqls, isBatch)
    if (token !== undefined) this.tokens.set(token, statement.id)
    await this.wait(statement, body)
    return {
      Id: statement.id,
      CreatedAt: seconds(statement.createdAt),
      Database: body["Database"],
      WorkgroupName: body["WorkgroupName"],
      ClusterIdentifier: body["ClusterIdentifier"],
      SessionId: statement.sessionId,
      Status: statement.status
    }
  }

  private async start(body: Body, sqls: ReadonlyArray<string>, isBatch: boolean) {
    const active = [...this.statements.all.values()].filter(({ status }) =>
      status === "SUBMITTED" || status === "STARTED"
    )
    if (active.length >= (this.options.activeLimit ?? 500)) {
      throw new ApiError("ActiveStatementsExceededException", "Active statements exceeded the allowed quota.")
    }
    const asked = text(body, "SessionId")
    if (asked !== undefined && !this.statements.hasSession(asked)) throw invalid("Session is not available.")
    const sessionId = asked ?? (body["SessionKeepAliveSeconds"] === undefined
      ? undefined
      : await this.statements.openSession())
    const transaction = isBatch && body["ExecutionMode"] !== "AUTO_COMMIT"
    return this.statements.submit({ sqls, isBatch, name: text(body, "StatementName"), sessionId, transaction })
  }

  private checkTarget(body: Body): void {
    if (body["SessionId"] !== undefined) return
    const workgroup = text(body, "WorkgroupName")
    const cluster = text(body, "ClusterIdentifier")
    if ((workgroup === undefined) === (cluster === undefined)) {
      throw invalid("Either ClusterIdentifier or WorkgroupName is required, and not both.") // wording not verified
    }
    const known = workgroup === undefined ? this.options.clusters ?? [] : this.options.workgroups ?? ["analytics"]
    if (!known.includes(workgroup ?? cluster!)) throw invalid("Redshift endpoint doesn't exist in this region.")
    if (text(body, "Database") === undefined) throw invalid("Database is required.") // wording not verified
  }

  private async wait(statement: RedshiftStatements.Statement, body: Body): Promise<void> {
    const limit = body["WaitTimeSeconds"] as number | undefined
    if (limit === undefined || limit === 0 || this.options.grantsWaiting === false) return
    if (limit > 30) throw invalid("WaitTimeSeconds is at most 30.")
    let timer: NodeJS.Timeout | undefined
    const elapsed = new Promise<void>((resolve) => (timer = setTimeout(resolve, limit * 1000)))
    await Promise.race([statement.done, elapsed])
    clearTimeout(timer)
  }

  private find(body: Body): { readonly statement: RedshiftStatements.Statement; readonly sub: number | undefined } {
    const [id, sub] = (text(body, "Id") ?? "").split(":") as [string, string?]
    if (!/^[0-9a-f-]{36}$/.test(id)) {
      throw invalid("id must satisfy regex pattern: ^[a-z0-9]{8}(-[a-z0-9]{4}){3}-[a-z0-9]{12}(:\\d+)?$")
    }
    const statement = this.statements.all.get(id)
    if (statement === undefined) throw new ApiError("ResourceNotFoundException", "Query does not exist.")
    return { statement, sub: sub === undefined ? undefined : Number(sub) }
  }

  private async describe(body: Body): Promise<unknown> {
    const { statement } = this.find(body)
    await this.wait(statement, body)
    const { createdAt, error, id, isBatch, results, sqls, status } = statement
    const last = results.at(-1)
    return {
      Id: id,
      Status: status,
      ...(error === undefined ? {} : { Error: error }),
      CreatedAt: seconds(createdAt),
      HasResultSet: status === "FINISHED" && results.some(({ columns }) => columns.length > 0),
      ResultRows: last?.affected ?? -1,
      QueryString: isBatch ? undefined : sqls[0],
      RedshiftPid: statement.pid,
      SessionId: statement.sessionId,
      ...(isBatch
        ? {
          SubStatements: results.map(({ affected, columns }, at) => ({
            Id: `${id}:${at + 1}`,
            Status: status === "FINISHED" ? "FINISHED" : "ABORTED",
            HasResultSet: columns.length > 0,
            ResultRows: affected
          }))
        }
        : {})
    }
  }

  private async result(body: Body): Promise<unknown> {
    const { statement, sub } = this.find(body)
    await this.wait(statement, body)
    const result = statement.status === "FINISHED"
      ? statement.results[(sub ?? statement.results.length) - 1]
      : undefined
    if (result === undefined || result.columns.length === 0) {
      throw new ApiError(
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement."
      )
    }
    const from = Number(text(body, "NextToken") ?? 0)
    const to = from + (this.options.pageRows ?? 1000)
    return {
      ColumnMetadata: result.columns.map(({ name, oid }) => ({ name, label: name, typeName: typeName(oid) })),
      Records: result.rows.slice(from, to).map((row) => row.map((value, at) => field(value, result.columns[at]!.oid))),
      TotalNumRows: result.rows.length,
      ...(to < result.rows.length ? { NextToken: String(to) } : {})
    }
  }

  private async cancel(body: Body): Promise<unknown> {
    const { statement } = this.find(body)
    if (statement.status !== "SUBMITTED" && statement.status !== "STARTED") {
      throw invalid(`Could not cancel a query that is already in ${statement.status} state with ID: ${statement.id}`)
    }
    await this.statements.cancel(statement)
    return { Status: true }
  }

  private list(body: Body): unknown {
    const status = text(body, "Status")
    const name = text(body, "StatementName") ?? ""
    const wanted = [...this.statements.all.values()].filter((one) =>
      (status === undefined ? one.status === "FINISHED" : status === "ALL" || one.status === status)
      && (one.name ?? "").startsWith(name)
    )
    return {
      Statements: wanted.map(({ createdAt, id, isBatch, name, sqls, status }) => ({
        Id: id,
        Status: status,
        StatementName: name,
        CreatedAt: seconds(createdAt),
        IsBatchStatement: isBatch,
        QueryStrings: sqls
      }))
    }
  }
}

const checkStatements = (sqls: ReadonlyArray<string>, token: string | undefined): void => {
  if (sqls.length < 1 || sqls.length > 40) throw invalid("1 to 40 statements are allowed.") // wording not verified
  if (sqls.some((sql) => sql === "" || Buffer.byteLength(sql) > STATEMENT_BYTES)) {
    throw invalid("Query statement length must be between 1 and 102400 bytes.") // wording not verified
  }
  if (token !== undefined && (token.length < 1 || token.length > 64)) {
    throw invalid("ClientToken has 1 to 64 characters.")
  }
}

const integers = new Set([20, 21, 23, 26])
const floats = new Set([700, 701])

const typeName = (oid: number): string =>
  integers.has(oid) ? "int8" : floats.has(oid) ? "float8" : oid === 16 ? "bool" : oid === 1700 ? "numeric" : "varchar"

const field = (value: string | null, oid: number) => {
  if (value === null) return { isNull: true }
  if (integers.has(oid)) return { longValue: Number(value) }
  if (floats.has(oid)) return { doubleValue: Number(value) }
  if (oid === 16) return { booleanValue: value === "t" }
  return { stringValue: value }
}

/** The region and the key that a request is signed for; the signature itself is not verified. */
const checkSignature = (headers: Http.IncomingHttpHeaders, region: string, now: number): void => {
  const scope = /Credential=([^/]+)\/\d+\/([^/]+)\/redshift-data\/aws4_request/.exec(headers.authorization ?? "")
  if (scope === null) throw new ApiError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
  if (scope[2] !== region) {
    throw new ApiError(
      "InvalidSignatureException",
      `Credential should be scoped to a valid region, not '${scope[2]}'. `
    )
  }
  const date = String(headers["x-amz-date"])
  const signed = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"))
  if (!(Math.abs(signed - now) < 300_000)) {
    throw new ApiError(
      "InvalidSignatureException",
      `Signature expired: ${date} is now earlier than the allowed time`,
      403
    )
  }
}

const read = async (request: Http.IncomingMessage): Promise<Body> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString() || "{}") as Body
}

const send = (response: Http.ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body))
}

const refuse = (fault: Fault | void, response: Http.ServerResponse): boolean => {
  if (fault === undefined) return false
  if (fault._tag === "Refuse") throw new ApiError(fault.type, fault.message, fault.status)
  if (fault._tag === "Cut") response.socket?.destroy()
  else response.writeHead(200, { "content-length": 1000 }).write("{\"Id\":", () => response.socket?.destroy())
  return true
}

/** Listens on a free port unless told which. */
export const start = async (options: Options): Promise<RedshiftServer> => {
  const statements = new RedshiftStatements.RedshiftStatements(options)
  await statements.prepare()
  const handler = new Handler(options, statements)
  const requests: Array<string> = []
  const serve = async (request: Http.IncomingMessage, response: Http.ServerResponse): Promise<void> => {
    const action = String(request.headers["x-amz-target"] ?? "").replace("RedshiftData.", "")
    const body = await read(request)
    const moment = { action, body, request: requests.push(action) - 1 }
    try {
      if (refuse(await options.hook?.({ ...moment, phase: "received" }), response)) return
      const now = Date.now() + (options.clockAhead ?? 0)
      response.setHeader("date", new Date(now).toUTCString())
      checkSignature(request.headers, options.region ?? "us-east-1", now)
      const answer = await handler.answer(action, body)
      if (refuse(await options.hook?.({ ...moment, phase: "answering" }), response)) return
      send(response, 200, answer)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      send(response, error.status, { __type: error.type, message: error.message, Message: error.message })
    }
  }
  const serving = new Set<Promise<void>>()
  const server = Http.createServer((request, response) => {
    const served = serve(request, response).catch(() => void request.socket.destroy())
    serving.add(served)
    void served.finally(() => serving.delete(served))
  })
  const { host = "127.0.0.1" } = options
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(options.port ?? 0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host}:${port}`,
    requests,
    statements,
    // What is served may yet submit.
    idle: async () => {
      while (serving.size > 0) await Promise.all(serving)
      await statements.idle()
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await statements.close()
    }
  }
}
