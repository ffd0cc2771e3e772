/** What the SDK throws, as a reason. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
import * as Predicate from "effect/Predicate"
import {
  ClockSkew,
  Conflict,
  Denied,
  Expired,
  Failed,
  NoBucket,
  NoCredentials,
  NotFound,
  type ObjectStoreReason,
  Throttled,
  Unavailable,
  WrongRegion
} from "./ObjectStoreReason.ts"

const textAt = (value: unknown, property: string): string | undefined =>
  Predicate.hasProperty(value, property) && typeof value[property] === "string" ? value[property] : undefined

const at = (value: unknown, property: string): unknown =>
  Predicate.hasProperty(value, property) ? value[property] : undefined

/** `operation` and `subject` name the right that is missing: `s3:PutObject` on `arn:aws:s3:::bucket/prefix`. */
export interface Asked {
  readonly permission: string
  readonly subject: string
}

export const reasonOf = (cause: unknown, asked: Asked): ObjectStoreReason => {
  const code = textAt(cause, "name") ?? ""
  const status = Number(at(at(cause, "$metadata"), "httpStatusCode") ?? 0)
  const said = textAt(cause, "message") ?? String(cause)
  const text = said === code || code === "Error" ? said : `${code}: ${said}`
  const known = byCode(code, text, asked, cause)
  if (known !== undefined) return known
  if (said.startsWith("Region is missing")) return new WrongRegion({ text: said, region: null })
  return status === 0 ? withoutAnswer(cause, text) : byStatus(status, text, asked, cause)
}

const byCode = (code: string, text: string, asked: Asked, cause: unknown): ObjectStoreReason | undefined => {
  switch (code) {
    case "NoSuchKey":
    case "NotFound":
      return new NotFound()
    case "NoSuchBucket":
      return new NoBucket({ text })
    case "PreconditionFailed":
    case "ConditionalRequestConflict":
      return new Conflict()
    case "AuthorizationHeaderMalformed":
    case "PermanentRedirect":
    case "IllegalLocationConstraintException":
      return new WrongRegion({ text, region: regionOf(cause) })
    case "RequestTimeTooSkewed":
    case "RequestExpired":
      return new ClockSkew({ text })
    case "ExpiredToken":
    case "ExpiredTokenException":
    case "TokenRefreshRequired":
      return new Expired({ text })
    case "CredentialsProviderError":
    case "TokenProviderError":
      return /expired/i.test(text) ? new Expired({ text }) : new NoCredentials({ text })
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
    case "InvalidToken":
      return new NoCredentials({ text })
    case "AccessDenied":
    case "AllAccessDisabled":
    case "AccountProblem":
      return denied(text, asked)
    case "SlowDown":
    case "Throttling":
    case "ThrottlingException":
    case "RequestLimitExceeded":
    case "TooManyRequestsException":
      return new Throttled({ text })
    case "RequestTimeout":
    case "OperationAborted":
    case "IncompleteBody":
    case "BadDigest":
      return new Unavailable({ text })
    default:
      return undefined
  }
}

const denied = (text: string, { permission, subject }: Asked): ObjectStoreReason =>
  new Denied({ text, fix: `allow ${permission} on ${subject} (a KMS key needs its own grant)` })

/** In the answer's body as Region, in a header, or in the endpoint that a redirect names. */
const regionOf = (cause: unknown): string | null => {
  const header = textAt(at(at(cause, "$response"), "headers"), "x-amz-bucket-region")
  const endpoint = /^(?:.*\.)?s3[.-]([a-z0-9-]+)\.amazonaws/.exec(textAt(cause, "Endpoint") ?? "")?.[1]
  return textAt(cause, "Region") ?? header ?? endpoint ?? null
}

/** A body-less answer, or a code of an S3-compatible server that is not in the list. */
const byStatus = (status: number, text: string, asked: Asked, cause: unknown): ObjectStoreReason => {
  const region = regionOf(cause)
  if ((status === 301 || status === 307) || (status === 400 && region !== null)) {
    return new WrongRegion({ text, region })
  }
  if (status === 403 || status === 401) return denied(text, asked)
  if (status === 404) return new NotFound()
  if (status === 409 || status === 412) return new Conflict()
  if (status === 429 || status === 503) return new Throttled({ text })
  return status >= 500 ? new Unavailable({ text }) : new Failed({ text })
}

const LOST = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EPROTO",
  "ERR_STREAM_PREMATURE_CLOSE"
])

const withoutAnswer = (cause: unknown, text: string): ObjectStoreReason => {
  const lost = LOST.has(textAt(cause, "code") ?? "") ||
    ["TimeoutError", "AbortError"].includes(textAt(cause, "name") ?? "")
  // A body that does not match its checksum was damaged on its way.
  return lost || /checksum mismatch/i.test(text) ? new Unavailable({ text }) : new Failed({ text })
}
