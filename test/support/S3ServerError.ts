/** An answer that is an error, as S3 words it: status, code, message, and what belongs to a code. */
export class S3ServerError extends Error {
  readonly status: number
  readonly code: string
  readonly headers: { readonly [name: string]: string }
  readonly fields: { readonly [name: string]: string }

  constructor(status: number, code: string, message: string, headers = {}, fields = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
    this.fields = fields
  }
}

export const noSuchKey = (key: string) =>
  new S3ServerError(404, "NoSuchKey", "The specified key does not exist.", {}, { Key: key })

export const noSuchBucket = (bucket: string) =>
  new S3ServerError(404, "NoSuchBucket", "The specified bucket does not exist", {}, { BucketName: bucket })

export const preconditionFailed = (condition: string) =>
  new S3ServerError(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    {},
    { Condition: condition }
  )

export const slowDown = new S3ServerError(503, "SlowDown", "Please reduce your request rate.")
export const throttling = new S3ServerError(400, "ThrottlingException", "Rate exceeded")
export const internal = new S3ServerError(500, "InternalError", "We encountered an internal error. Please try again.")
export const denied = new S3ServerError(403, "AccessDenied", "Access Denied")
export const conflict = new S3ServerError(
  409,
  "ConditionalRequestConflict",
  "The conditional request cannot succeed due to a conflicting operation against this resource."
)
export const expired = new S3ServerError(400, "ExpiredToken", "The provided token has expired.")
export const badKey = new S3ServerError(
  403,
  "InvalidAccessKeyId",
  "The AWS Access Key Id you provided does not exist in our records."
)
export const skewed = new S3ServerError(
  403,
  "RequestTimeTooSkewed",
  "The difference between the request time and the current time is too large."
)

/** What an endpoint answers to a request that is signed for another region. */
export const wrongRegion = (signed: string, region: string) =>
  new S3ServerError(
    400,
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed; the region '${signed}' is wrong; expecting '${region}'`,
    { "x-amz-bucket-region": region },
    { Region: region }
  )

/** What the global endpoint answers for a bucket that lives elsewhere. */
export const movedTo = (region: string) =>
  new S3ServerError(
    301,
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint.",
    { "x-amz-bucket-region": region },
    { Endpoint: `s3.${region}.amazonaws.com` }
  )
