/**
 * Where the lake is, as `BAROGRAPH_LAKE` says it: a directory, `file:///…`, `s3://bucket/prefix?region=…`, or
 * `gs://bucket/prefix` for Google's S3 interoperability. Parameters of a bucket:
 *
 * | parameter | |
 * |---|---|
 * | `region` | the bucket's; else AWS_REGION or the profile's |
 * | `endpoint` | URL of an S3-compatible server |
 * | `pathStyle` | `true` where the bucket is in the path, not in the host; the default with an endpoint |
 * | `storageClass` | such as `STANDARD_IA`; none from which objects must be restored |
 * | `encryption`, `kmsKeyId` | `AES256`, `aws:kms` or `aws:kms:dsse`, and the key; else as the bucket has it |
 * | `owner` | account that must own the bucket |
 *
 * There is none for a key or a secret: they come from the SDK's chain, never from a URL that gets logged.
 */
import * as Result from "effect/Result"
import * as Path from "node:path"
import * as Url from "node:url"
import { didYouMean } from "../../runtime/asset/Suggest.ts"

export interface Directory {
  readonly kind: "directory"
  /** Absolute. */
  readonly path: string
}

export interface Bucket {
  readonly kind: "bucket"
  readonly dialect: "s3" | "gcs"
  readonly bucket: string
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string
  readonly region: string | undefined
  readonly endpoint: string | undefined
  readonly pathStyle: boolean
  readonly storageClass: string | undefined
  readonly encryption: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined
  readonly kmsKeyId: string | undefined
  readonly owner: string | undefined
}

export type Location = Directory | Bucket

/** What is wrong, and what to write instead. */
export interface Wrong {
  readonly message: string
  readonly fix: string
}

const wrong = (message: string, fix: string): Result.Result<never, Wrong> => Result.fail({ message, fix })

/** A user or a password in front of a host, in the address or in one that it names. An AWS secret may have slashes. */
export const holdsSecret = (text: string): boolean => /:\/\/[^/?#&]*(?:@|:[^?#&]*@)/.test(text)

const SECRET: Wrong = {
  message: "the address holds a user or a password",
  fix: "leave it out, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
}

/** Begins as an address does, well-formed or not: `s3:/lake` is no directory that anybody means. */
export const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(text)

/** `cwd` is what a relative directory starts from. */
export const parse = (given: string, cwd: string): Result.Result<Location, Wrong> => {
  const text = given.trim()
  if (holdsSecret(text)) return Result.fail(SECRET)
  if (!isAddress(text)) return Result.succeed({ kind: "directory", path: Path.resolve(cwd, text) })
  const scheme = /^([a-z0-9+-]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case "file":
      return directory(text)
    case "s3":
    case "gs":
      return bucket(text, scheme === "gs" ? "gcs" : "s3")
    default:
      return wrong(
        `"${text}" is neither a directory nor a bucket`,
        "give a directory as in ./lake, or a bucket as in s3://bucket/prefix?region=eu-central-1"
      )
  }
}

const directory = (text: string): Result.Result<Location, Wrong> => {
  try {
    return Result.succeed({ kind: "directory", path: Url.fileURLToPath(text) })
  } catch {
    return wrong(`"${text}" is no file URL`, "write file:///absolute/path, or the plain path")
  }
}

const PARAMETERS = ["region", "endpoint", "pathStyle", "storageClass", "encryption", "kmsKeyId", "owner"] as const
const ENCRYPTIONS = ["AES256", "aws:kms", "aws:kms:dsse"] as const
const GOOGLE = "https://storage.googleapis.com"

const bucket = (text: string, dialect: "s3" | "gcs"): Result.Result<Location, Wrong> => {
  const found = /^[a-z0-9]+:\/\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(text)
  if (found === null) return wrong(`"${text}" names no bucket`, "write s3://bucket/prefix?region=eu-central-1")
  const given = new URLSearchParams(found[3])
  const flaw = parameterFlaw(given)
  if (flaw !== undefined) return Result.fail(flaw)
  const endpoint = given.get("endpoint") ?? (dialect === "gcs" ? GOOGLE : undefined)
  return Result.succeed({
    kind: "bucket",
    dialect,
    bucket: found[1]!,
    prefix: (found[2] ?? "").split("/").filter((part) => part !== "").join("/"),
    region: given.get("region") ?? (dialect === "gcs" ? "auto" : endpoint === undefined ? undefined : "us-east-1"),
    endpoint,
    pathStyle: given.has("pathStyle") ? given.get("pathStyle") === "true" : endpoint !== undefined,
    storageClass: given.get("storageClass") ?? undefined,
    encryption: ENCRYPTIONS.find((one) => one === given.get("encryption")),
    kmsKeyId: given.get("kmsKeyId") ?? undefined,
    owner: given.get("owner") ?? undefined
  })
}

const parameterFlaw = (given: URLSearchParams): Wrong | undefined => {
  const flaw = (message: string, fix = `parameters are ${PARAMETERS.join(", ")}`): Wrong => ({ message, fix })
  for (const [name, value] of given) {
    const known: ReadonlyArray<string> = PARAMETERS
    if (!known.includes(name)) return flaw(`there is no parameter "${name}".${didYouMean(name, known)}`)
    if (given.getAll(name).length > 1) return flaw(`"${name}" is given twice`)
    if (value === "") return flaw(`"${name}" is empty`)
  }
  const endpoint = given.get("endpoint")
  if (endpoint !== null && holdsSecret(endpoint)) return SECRET
  if (endpoint !== null && !/^https?:\/\/[^/\s]+\/?$/.test(endpoint)) {
    return flaw(`endpoint "${endpoint}" is no http(s)://host`, "write it as endpoint=https://host")
  }
  const storageClass = given.get("storageClass")
  if (storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE") {
    return flaw(
      `what is in the storage class ${storageClass} cannot be read at once`,
      "leave it out, or write GLACIER_IR"
    )
  }
  const encryption = given.get("encryption")
  const known: ReadonlyArray<string> = ENCRYPTIONS
  if (encryption !== null && !known.includes(encryption)) return flaw(`encryption is one of ${ENCRYPTIONS.join(", ")}`)
  if (given.has("kmsKeyId") && !(encryption ?? "").startsWith("aws:kms")) {
    return flaw("kmsKeyId needs encryption=aws:kms")
  }
  if (given.has("pathStyle") && !/^(true|false)$/.test(given.get("pathStyle")!)) {
    return flaw("pathStyle is true or false")
  }
  return undefined
}

/** For people and for what names the lake; two servers' buckets of one name differ. */
export const render = (location: Location): string => {
  if (location.kind === "directory") return Url.pathToFileURL(location.path).href
  const { bucket, dialect, endpoint, prefix } = location
  const elsewhere = endpoint === undefined || endpoint === GOOGLE ? "" : `?endpoint=${endpoint}`
  return `${dialect === "gcs" ? "gs" : "s3"}://${bucket}${prefix === "" ? "" : `/${prefix}`}${elsewhere}`
}
