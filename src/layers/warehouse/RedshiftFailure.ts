/** What the Data API and the SDK raise, told as a reason for a person. */
import {
  Cancelled,
  Conflict,
  Denied,
  ExpiredCredentials,
  Failed,
  NoCredentials,
  NotCopied,
  NotFound,
  Throttled,
  Unreachable,
  type WarehouseReason,
  WrongCredentials
} from "./WarehouseReason.ts"

type Make = (text: string) => WarehouseReason
const make = <R extends WarehouseReason>(Reason: new(fields: { text: string }) => R): Make => (text) =>
  new Reason({ text })

/** Names of errors of the service and of the SDK. */
const byName: ReadonlyArray<readonly [pattern: RegExp, make: Make]> = [
  [
    /^(Active\w+Exceeded|Throttling|TooManyRequests|RequestLimitExceeded|SlowDown|InternalServer|ServiceUnavailable)/,
    make(Throttled)
  ],
  [/^(ExpiredToken|RequestExpired)/, make(ExpiredCredentials)],
  [
    /^(UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|InvalidClientTokenId|MissingAuthenticationToken|IncompleteSignature|RequestTimeTooSkewed)/,
    make(WrongCredentials)
  ],
  [/^(CredentialsProviderError|TokenProviderError)/, make(NoCredentials)],
  [/^(AccessDenied|NotAuthorized)/, make(Denied)],
  [/^(DatabaseConnection|QueryTimeout)/, make(Unreachable)],
  [/^TimeoutError/, make(Unreachable)]
]

/** What COPY could not read. The bucket is another service's: its throttling passes, its objects can be written again. */
const notCopied: Make = (text) =>
  new NotCopied({
    text,
    fix: /not authorized|AccessDenied|Status 403/.test(text)
      ? "Attach the iamRole of BAROGRAPH_WAREHOUSE to the warehouse, and allow it s3:GetObject and s3:ListBucket on the "
        + "prefix of copy="
      : "Run it again: the objects are written anew; a lifecycle rule on the prefix of copy= must leave them for a day",
    retryable: !/not authorized|AccessDenied|Status 403/.test(text)
  })

/** Words of the service, and of the database in `DescribeStatement`. */
const byWords: ReadonlyArray<readonly [pattern: RegExp, make: Make]> = [
  [/S3ServiceException|manifest file|not authorized to assume IAM Role|S3 prefix .* does not exist/i, notCopied],
  [
    /\b1023\b|serializable isolation violation|could not serialize|deadlock detected|concurrent (?:transaction|update)/i,
    make(Conflict)
  ],
  [/endpoint doesn't exist|database "[^"]*" does not exist|(?:workgroup|cluster) .*not found/i, make(NotFound)],
  [/permission denied|must be owner|not authorized to/i, make(Denied)],
  [/cancell?ed (?:on user's request|by)|query was cancell?ed/i, make(Cancelled)],
  [/terminating connection|connection .*(?:closed|refused|lost)|shutting down|starting up/i, make(Unreachable)]
]

const found = (table: typeof byName, text: string): Make | undefined =>
  table.find(([pattern]) => pattern.test(text))?.[1]

/** A call that failed: by its name, by its words, or by having had no answer. */
export const ofCall = (error: unknown): WarehouseReason => {
  const { $metadata, $response, code, message, name } = error as {
    readonly name?: string
    readonly code?: string
    readonly message?: string
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $response?: unknown
  }
  const text = message || code || String(error)
  const known = found(byName, name ?? "") ?? found(byWords, text)
  if (known !== undefined) return known(text)
  const status = $metadata?.httpStatusCode
  if (status === undefined && ($response === undefined || code !== undefined)) return new Unreachable({ text })
  return status !== undefined && status >= 500 ? new Throttled({ text }) : new Failed({ text, retryable: false })
}

/** A statement that ended as FAILED or ABORTED. */
export const ofStatement = (status: "FAILED" | "ABORTED", error: string | undefined): WarehouseReason => {
  if (status === "ABORTED") return new Cancelled({ text: error ?? "the statement was aborted" })
  const text = error ?? "the statement failed and the server does not say why"
  return found(byWords, text)?.(text) ?? new Failed({ text, retryable: false })
}
