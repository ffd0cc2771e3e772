/**
 * What sql-pg raises, told as a reason for a person. The driver keeps the system's error, or the server's fields, in
 * `reason.cause`; both have a `code`, an errno name or a SQLSTATE. Its own messages are all it says about TLS and time.
 */
import type { SqlError } from "effect/sql/SqlError"
import {
  BadUrl,
  type ConnectionReason,
  NotAllowed,
  NotReady,
  Other,
  Refused,
  TimedOut,
  TlsFailed,
  TooManyConnections,
  UnknownDatabase,
  UnknownHost,
  WrongPassword
} from "./ConnectionReason.ts"
import { DatabaseError } from "./DatabaseError.ts"
import { DiskFull } from "./EmbeddedReason.ts"
import { codeOf } from "./FileFailure.ts"

type Make = (server: string, text: string) => DatabaseError["reason"]
const make =
  <R extends ConnectionReason>(Reason: new(fields: { server: string; text: string }) => R): Make => (server, text) =>
    new Reason({ server, text })

const byCode: Readonly<Record<string, Make>> = {
  ECONNREFUSED: make(Refused),
  ENOENT: make(Refused),
  ECONNRESET: make(Refused),
  EHOSTUNREACH: make(Refused),
  ENETUNREACH: make(Refused),
  EACCES: make(NotAllowed),
  EPERM: make(NotAllowed),
  ENOTFOUND: make(UnknownHost),
  EAI_AGAIN: make(UnknownHost),
  ETIMEDOUT: make(TimedOut),
  "28P01": make(WrongPassword),
  "28000": make(WrongPassword),
  "3D000": make(UnknownDatabase),
  "42501": make(NotAllowed),
  "53300": make(TooManyConnections),
  "53100": (server, text) => new DiskFull({ path: server, text }),
  "57P01": make(NotReady),
  "57P02": make(NotReady),
  "57P03": make(NotReady)
}

const byMessage: ReadonlyArray<readonly [RegExp, Make]> = [
  [/in URL|connection URL|No username|startup parameter/i, (_, text) => new BadUrl({ text })],
  [/timed out/, make(TimedOut)],
  [/TLS|SSL|certificate/i, make(TlsFailed)],
  [/closed during startup/, make(Refused)]
]

/** `server` is the URL without its password, or what else names the server to a person. */
export const toDatabaseError = (error: SqlError, server: string): DatabaseError => {
  const { _tag, cause, message = _tag } = error.reason
  const text = textOf(cause) ?? message
  const known = byCode[codeOf(cause)]
    ?? byMessage.find(([pattern]) => pattern.test(message) || pattern.test(codeOf(cause)) || pattern.test(text))?.[1]
    ?? (_tag === "AuthenticationError" ? make(WrongPassword) : make(Other))
  return new DatabaseError({ reason: known(server, text) })
}

// `localhost` is tried as IPv6 and IPv4: the error of both has no text of its own.
const textOf = (cause: unknown): string | undefined =>
  cause instanceof AggregateError && cause.message === ""
    ? cause.errors.map((error) => error instanceof Error ? error.message : String(error)).join(", ")
    : cause instanceof Error
    ? cause.message
    : undefined
