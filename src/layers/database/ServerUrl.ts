/**
 * `DATABASE_URL`, read before the driver reads it: what is wrong with it is said without quoting it, because it may hold
 * a password, and a name for the server is made that may be shown anywhere.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { BadUrl } from "./ConnectionReason.ts"
import { DatabaseError } from "./DatabaseError.ts"

export interface ServerUrl {
  readonly url: Redacted.Redacted<string>
  /** `postgres://user@host:5432/database`: no password, no parameters. */
  readonly name: string
  /** What the URL itself asks for; the defaults of ours give way to it. */
  readonly applicationName: string | undefined
  readonly connectTimeout: string | undefined
}

const bad = (text: string) => Result.fail(new DatabaseError({ reason: new BadUrl({ text }) }))

export const parse = (url: Redacted.Redacted<string>): Result.Result<ServerUrl, DatabaseError> => {
  const text = Redacted.value(url).trim()
  if (text === "") return bad("it is empty")
  if (!/^postgres(ql)?:\/\//.test(text)) return bad("it does not begin with postgres:// or postgresql://")
  if (!URL.canParse(text)) return bad("host, port or password hold a character that a URL cannot have there")
  const parsed = new URL(text)
  const asked = (name: string) => parsed.searchParams.get(name) ?? undefined
  return Result.succeed({
    url: Redacted.make(text),
    name: nameOf(parsed, asked),
    applicationName: asked("application_name"),
    connectTimeout: asked("connect_timeout")
  })
}

const nameOf = (url: URL, asked: (name: string) => string | undefined): string => {
  const user = asked("user") ?? url.username
  const host = asked("host") ?? (url.hostname === "" ? "localhost" : url.hostname)
  const port = asked("port") ?? (url.port === "" ? "5432" : url.port)
  const database = asked("dbname") ?? url.pathname.slice(1)
  return `postgres://${user === "" ? "" : `${user}@`}${host}:${port}/${database}`
}
