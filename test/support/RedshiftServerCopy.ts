/**
 * `COPY … FROM 's3://…' … MANIFEST` as Redshift runs it: reads the manifest and what it names as the given role, and fails
 * in Redshift's words. Of the formats CSV is known, plain or compressed. Words that were not seen of a live server, in
 * public issues at least, are marked so.
 */
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3"
import * as NodeUtil from "node:util"
import * as Zlib from "node:zlib"
import type * as Pg from "pg"
import * as PostgresCopy from "./PostgresCopy.ts"

/** The S3 that the warehouse reaches, and the roles that it may take; the default role is always one. */
export interface Source {
  readonly endpoint: string
  readonly region?: string
  readonly roles?: ReadonlyArray<string>
}

/** Signs what the warehouse asks of S3, so that an S3 can tell it from whoever wrote the objects. */
export const ACCESS_KEY = "ASIAREDSHIFTROLE"

/** What was found wrong with a row: a row of `stl_load_errors`. */
export interface LoadError {
  readonly filename: string
  readonly line: number
  readonly rawLine: string
  readonly code: number
  readonly reason: string
}

export class CopyError extends Error {
  readonly loadError: LoadError | undefined
  constructor(words: string, loadError?: LoadError) {
    super(words)
    this.loadError = loadError
  }
}

interface Statement {
  readonly table: string
  readonly columns: string
  readonly url: string
  readonly role: string
  readonly region: string | undefined
  readonly compression: "gzip" | "zstd" | undefined
}

const HEAD = /^\s*copy\s+([\w".]+)\s*(\([^)]*\))?\s+from\s+'([^']*)'\s+iam_role\s+(default|'[^']*')\s*([\s\S]*)$/i

export const isCopy = (sql: string): boolean => /^\s*copy\s/i.test(sql)

const parse = (sql: string): Statement => {
  const found = HEAD.exec(sql)
  if (found === null) throw new CopyError("syntax error at or near \"copy\"")
  const [, table, columns = "", url, role, rest] = found
  let options = ` ${rest!.replace(/\s+/g, " ")} `
  const take = (pattern: RegExp): string | undefined => {
    const [match, value] = pattern.exec(options) ?? []
    if (match !== undefined) options = options.replace(match, " ")
    return match === undefined ? undefined : (value ?? match).toLowerCase()
  }
  const region = take(/ region '([^']*)' /i)
  for (const setting of ["compupdate", "statupdate"]) take(new RegExp(` ${setting} (?:on|off|true|false) `, "i"))
  const compression = take(/ (gzip|zstd) /i) as "gzip" | "zstd" | undefined
  if (take(/ manifest /i) === undefined) throw new CopyError("this stand-in copies by manifest only")
  if (take(/ (?:format (?:as )?)?csv /i) === undefined) throw new CopyError("this stand-in copies CSV only")
  if (options.trim() !== "") throw new CopyError(`syntax error at or near "${options.trim().split(" ")[0]}"`)
  return { table: table!, columns, url: url!, role: role!.replaceAll("'", ""), region, compression }
}

/** `Status` and `Error` are S3's own. */
const unread = (cause: unknown, url: string): CopyError => {
  const { $metadata, message, name } = cause as Error & { readonly $metadata?: { readonly httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode ?? 500
  return new CopyError(
    `S3ServiceException:${message},Status ${status},Error ${name},Rid STANDIN,ExtRid stand-in,CanRetry 1`
      + ` DETAIL: S3 key being read : ${url}`
  )
}

const isMissing = (cause: unknown): boolean => (cause as Error).name === "NoSuchKey"

const read = async (client: S3Client, url: string): Promise<Buffer> => {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? []
  if (bucket === undefined) throw new CopyError(`Invalid S3 url ${url}`) // wording not verified
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return Buffer.from(await Body!.transformToByteArray())
}

interface Entry {
  readonly url: string
  readonly mandatory?: boolean
}

const entriesOf = async (client: S3Client, url: string): Promise<ReadonlyArray<Entry>> => {
  const text = await read(client, url).catch((cause: unknown) => {
    throw new CopyError(`Problem reading manifest file - ${unread(cause, url).message}`)
  })
  try {
    return (JSON.parse(text.toString()) as { readonly entries: ReadonlyArray<Entry> }).entries
  } catch {
    throw new CopyError("Manifest file is not in correct json format") // wording not verified
  }
}

const inflate = { gzip: NodeUtil.promisify(Zlib.gunzip), zstd: NodeUtil.promisify(Zlib.zstdDecompress) }

const checkRole = (role: string, { roles }: Source): void => {
  if (role === "default" || roles === undefined || roles.includes(role)) return
  throw new CopyError(
    `User arn:aws:redshift:us-east-1:123456789012:dbuser:analytics/loader is not authorized to assume IAM Role ${role}`
  )
}

/** PostgreSQL's complaint about a row, as a row of `stl_load_errors`. */
const loadError = (error: Error & { readonly code?: string; readonly where?: string }, url: string, text: string) => {
  const line = Number(/line (\d+)/.exec(error.where ?? "")?.[1] ?? 0)
  const rawLine = text.split("\n")[line - 1] ?? ""
  const at = { filename: url, line, rawLine }
  if (error.message.startsWith("extra data")) return { ...at, code: 1202, reason: "Extra column(s) found" }
  if (error.message.startsWith("missing data")) return { ...at, code: 1214, reason: "Delimiter not found" }
  return error.code?.startsWith("22") ? { ...at, code: 1207, reason: error.message } : undefined
}

/** Loads one object and answers its rows. */
const loadOne = async (client: Pg.Client, statement: Statement, url: string, bytes: Buffer): Promise<number> => {
  const { columns, compression, table } = statement
  const text = compression === undefined ? bytes : await inflate[compression](bytes).catch(() => {
    throw new CopyError(`${compression} decompression failed for ${url}`) // wording not verified
  })
  const sql = `copy ${table} ${columns} from stdin with (format csv)`
  return PostgresCopy.copyIn(client, sql, [text]).catch((error: Error) => {
    const found = loadError(error, url, text.toString())
    if (found === undefined) throw error
    throw new CopyError(
      `Load into table '${table.split(".").at(-1)}' failed.  Check 'stl_load_errors' system table for details.`,
      found
    )
  })
}

/** Runs the statement and answers how many rows it loaded. */
export const run = async (client: Pg.Client, sql: string, source: Source | undefined): Promise<number> => {
  const statement = parse(sql)
  if (source === undefined) throw new CopyError("this stand-in was started without an S3")
  checkRole(statement.role, source)
  const s3 = new S3Client({
    endpoint: source.endpoint,
    region: statement.region ?? source.region ?? "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: "role" }
  })
  try {
    const rows = await loadAll(client, statement, s3)
    await client.query(`set redshift.copied = ${rows}`)
    return rows
  } finally {
    s3.destroy()
  }
}

const loadAll = async (client: Pg.Client, statement: Statement, s3: S3Client): Promise<number> => {
  let [rows, found] = [0, 0]
  for (const { mandatory = false, url } of await entriesOf(s3, statement.url)) {
    const bytes = await read(s3, url).catch((cause: unknown) => {
      if (isMissing(cause) && !mandatory) return undefined
      throw cause instanceof CopyError ? cause : unread(cause, url)
    })
    if (bytes === undefined) continue
    found++
    rows += await loadOne(client, statement, url, bytes)
  }
  if (found === 0) throw new CopyError(`The specified S3 prefix '${statement.url}' does not exist`)
  return rows
}
