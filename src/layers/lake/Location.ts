/**
 * Where the lake is, as `BAROGRAPH_LAKE` says it: a directory, `file:///…`, `s3://bucket/prefix?region=…`, or
 * `gs://bucket/prefix` for Google's S3 interoperability. Parameters of a bucket:
 *
 * | parameter | |
 * |---|---|
 * | `region` | the bucket's; else AWS_REGION or the profile's |
 * | `endpoint` | URL of an S3-compatible server |
 * | `pathStyle` | `true` where the bucket is in the path, not in the host; the default with an endpoint |
 * | `storageClass` | such as `STANDARD_IA` |
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

/** `cwd` is what a relative directory starts from. */
export const parse = (text: string, cwd: string): Result.Result<Location, Wrong> => {
  const scheme = /^([a-z0-9+-]+):\/\//i.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return Result.succeed({ kind: "directory", path: Path.resolve(cwd, text) })
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
  if (flaw !== undefined) return wrong(flaw, `parameters are ${PARAMETERS.join(", ")}`)
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

const parameterFlaw = (given: URLSearchParams): string | undefined => {
  for (const [name, value] of given) {
    const known: ReadonlyArray<string> = PARAMETERS
    if (!known.includes(name)) return `there is no parameter "${name}".${didYouMean(name, known)}`
    if (given.getAll(name).length > 1) return `"${name}" is given twice`
    if (value === "") return `"${name}" is empty`
  }
  const endpoint = given.get("endpoint")
  if (endpoint !== null && !/^https?:\/\/[^/\s]+\/?$/.test(endpoint)) {
    return `endpoint "${endpoint}" is no http(s)://host`
  }
  const encryption = given.get("encryption")
  const known: ReadonlyArray<string> = ENCRYPTIONS
  if (encryption !== null && !known.includes(encryption)) return `encryption is one of ${ENCRYPTIONS.join(", ")}`
  if (given.has("kmsKeyId") && !(encryption ?? "").startsWith("aws:kms")) return "kmsKeyId needs encryption=aws:kms"
  if (given.has("pathStyle") && !/^(true|false)$/.test(given.get("pathStyle")!)) return "pathStyle is true or false"
  return undefined
}

/** For people and for what names the lake; two servers' buckets of one name differ. */
export const render = (location: Location): string => {
  if (location.kind === "directory") return Url.pathToFileURL(location.path).href
  const { bucket, dialect, endpoint, prefix } = location
  const elsewhere = endpoint === undefined || endpoint === GOOGLE ? "" : `?endpoint=${endpoint}`
  return `${dialect === "gcs" ? "gs" : "s3"}://${bucket}${prefix === "" ? "" : `/${prefix}`}${elsewhere}`
}
