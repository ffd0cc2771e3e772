/**
 * Statements behind the Data API: each runs on a PostgreSQL connection of its own, or on that of its session, so no
 * temporary table leaks. A batch is one transaction. Isolation is Redshift's: the snapshot is taken by the first
 * statement that reads or writes, so what is locked later may have changed in between.
 */
import * as Crypto from "node:crypto"
import * as Pg from "pg"
import * as RedshiftDialect from "./RedshiftDialect.ts"
import * as RedshiftServerCopy from "./RedshiftServerCopy.ts"

export type Status = "SUBMITTED" | "STARTED" | "FINISHED" | "FAILED" | "ABORTED"

export interface Result {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly oid: number }>
  readonly rows: ReadonlyArray<ReadonlyArray<string | null>>
  readonly affected: number
}

export interface Statement {
  readonly id: string
  readonly sqls: ReadonlyArray<string>
  readonly isBatch: boolean
  readonly name: string | undefined
  readonly createdAt: number
  readonly sessionId: string | undefined
  readonly results: Array<Result>
  status: Status
  error: string | undefined
  pid: number | undefined
  readonly done: Promise<void>
}

export interface Connection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
}

export interface Options {
  readonly connection: Connection
  /** Provisioned clusters are SERIALIZABLE by default, serverless workgroups SNAPSHOT. */
  readonly isolation?: "serializable" | "snapshot"
  /** What COPY reads. */
  readonly s3?: RedshiftServerCopy.Source
  /** An error that the transaction ends with instead of its commit. */
  readonly fail?: (sqls: ReadonlyArray<string>) => string | undefined
}

// Every value as the text that the server sends.
const types = { getTypeParser: () => (value: string) => value }

export class RedshiftStatements {
  readonly all = new Map<string, Statement>()
  private readonly sessions = new Map<string, { readonly client: Pg.Client; busy: boolean }>()
  private readonly running = new Set<Promise<void>>()
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
  }

  async open(): Promise<Pg.Client> {
    // Joins by equality are never nested loops in Redshift.
    const level = this.options.isolation === "snapshot" ? "repeatable\\ read" : "serializable"
    const client = new Pg.Client({
      ...this.options.connection,
      options: `-c standard_conforming_strings=off -c escape_string_warning=off -c timezone=UTC `
        + `-c default_transaction_isolation=${level} -c enable_nestloop=off`
    })
    client.on("error", () => {})
    await client.connect()
    return client
  }

  async prepare(): Promise<void> {
    const client = await this.open()
    await client.query(RedshiftDialect.prelude)
    await client.end()
  }

  async openSession(): Promise<string> {
    const id = Crypto.randomUUID()
    this.sessions.set(id, { client: await this.open(), busy: false })
    return id
  }

  hasSession(id: string): boolean {
    return this.sessions.get(id)?.busy === false
  }

  submit(
    given: Pick<Statement, "sqls" | "isBatch" | "name" | "sessionId"> & { readonly transaction: boolean }
  ): Statement {
    let finish = (): void => {}
    const done = new Promise<void>((resolve) => (finish = resolve))
    const statement: Statement = {
      ...given,
      id: Crypto.randomUUID(),
      createdAt: Date.now(),
      results: [],
      status: "SUBMITTED",
      error: undefined,
      pid: undefined,
      done
    }
    this.all.set(statement.id, statement)
    const work = this.run(statement, given.transaction).then(finish)
    this.running.add(work)
    void work.finally(() => this.running.delete(work))
    return statement
  }

  private async run(statement: Statement, transaction: boolean): Promise<void> {
    const session = statement.sessionId === undefined ? undefined : this.sessions.get(statement.sessionId)
    if (session !== undefined) session.busy = true
    let client: Pg.Client | undefined
    try {
      client = session?.client ?? await this.open()
      statement.pid = (client as unknown as { processID: number }).processID
      if (statement.status === "ABORTED") return
      statement.status = "STARTED"
      await this.execute(client, statement, transaction)
      statement.status = "FINISHED"
    } catch (error) {
      const words = RedshiftDialect.told(error as Error)
      statement.status = (error as { code?: string }).code === "57014" ? "ABORTED" : "FAILED"
      statement.error = statement.isBatch ? `Query #${statement.results.length + 1} failed with ${words}` : words
    } finally {
      if (session !== undefined) session.busy = false
      else await client?.end().catch(() => {})
    }
  }

  private async execute(client: Pg.Client, statement: Statement, transaction: boolean): Promise<void> {
    if (transaction) await client.query("begin")
    try {
      for (const sql of statement.sqls) {
        statement.results.push(RedshiftServerCopy.isCopy(sql) ? await this.copy(client, sql) : await one(client, sql))
      }
      const failure = this.options.fail?.(statement.sqls)
      if (failure !== undefined) throw new Refusal(failure)
      if (transaction) await client.query("commit")
    } catch (error) {
      if (transaction) await client.query("rollback").catch(() => {})
      throw error
    }
  }

  /** What is wrong with a row stays to be read although the transaction is rolled back. */
  private async copy(client: Pg.Client, sql: string): Promise<Result> {
    try {
      return { columns: [], rows: [], affected: await RedshiftServerCopy.run(client, sql, this.options.s3) }
    } catch (error) {
      const found = error instanceof RedshiftServerCopy.CopyError ? error.loadError : undefined
      if (found !== undefined) await this.keepLoadError(found)
      throw error
    }
  }

  private async keepLoadError({ code, filename, line, rawLine, reason }: RedshiftServerCopy.LoadError): Promise<void> {
    const client = await this.open()
    await client.query("insert into public.stl_load_errors values (now(), $1, $2, $3, $4, $5)", [
      filename,
      line,
      rawLine,
      code,
      reason
    ])
    await client.end()
  }

  async cancel(statement: Statement): Promise<void> {
    const pid = statement.pid
    if (pid === undefined) {
      statement.status = "ABORTED"
      return
    }
    const client = await this.open()
    await client.query(`select pg_cancel_backend(${pid})`)
    await client.end()
  }

  /** Until nothing runs any more, also what nobody waits for. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running)
  }

  async close(): Promise<void> {
    for (const statement of this.all.values()) {
      if (statement.status === "STARTED") await this.cancel(statement).catch(() => {})
    }
    await this.idle()
    for (const { client } of this.sessions.values()) await client.end()
  }
}

class Refusal extends Error {
  constructor(words: string) {
    super(words.replace(/^ERROR: /, ""))
  }
}

const one = async (client: Pg.Client, sql: string): Promise<Result> => {
  const translated = RedshiftDialect.translate(sql)
  if ("refusal" in translated) throw new Refusal(translated.refusal)
  // The extended protocol takes one statement only, as Redshift does.
  const query = { text: translated.sql, rowMode: "array", queryMode: "extended", types } as Pg.QueryArrayConfig
  const result = await client.query(query)
  if (translated.after !== undefined) await client.query(translated.after)
  return {
    columns: result.fields.map(({ dataTypeID, name }) => ({ name, oid: dataTypeID })),
    rows: result.rows as ReadonlyArray<ReadonlyArray<string | null>>,
    affected: result.rowCount ?? 0
  }
}
