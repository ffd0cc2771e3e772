/**
 * Where a Redshift is and as whom to speak to it, as one URL:
 *
 *     redshift-data://workgroup/NAME/DATABASE?region=eu-central-1
 *     redshift-data://cluster/NAME/DATABASE?region=eu-central-1&dbUser=loader
 *
 * Options: `region` and `endpoint` (else as the AWS SDK finds them), `dbUser` (cluster only), `secretArn`, `schema`. The
 * URL holds no secret: credentials are found by the SDK's own chain, or lie in Secrets Manager under `secretArn`.
 *
 * With `copy=s3://bucket/prefix` large loads go through that bucket (`RedshiftCopy.ts`), read by the warehouse as
 * `iamRole=arn:aws:iam::…:role/…`, or as its default role. The bucket takes the parameters that a lake's takes
 * (`../lake/Location.ts`), the first after `?`, each further one after `%26` because `&` ends the option:
 * `copy=s3://bucket/prefix?region=eu-west-1%26encryption=aws:kms`.
 */
import * as Result from "effect/Result"
import * as Location from "../lake/Location.ts"

/** Where rows wait for COPY, and as whom the warehouse reads them. */
export interface CopySource {
  readonly bucket: Location.Bucket
  readonly iamRole: string
}

export interface RedshiftTarget {
  readonly kind: "workgroup" | "cluster"
  readonly name: string
  readonly database: string
  readonly schema: string
  readonly region: string | undefined
  readonly endpoint: string | undefined
  /** Temporary credentials of this database user; else the user that belongs to the caller's IAM identity. */
  readonly dbUser: string | undefined
  readonly secretArn: string | undefined
  readonly copy: CopySource | undefined
}

/** Why the URL cannot be used, and what to write instead. */
export interface Unusable {
  readonly message: string
  readonly fix: string
}

export const PROTOCOL = "redshift-data:"
const EXAMPLE = "redshift-data://workgroup/analytics/dev?region=eu-central-1"
const OPTIONS = ["region", "endpoint", "dbUser", "secretArn", "schema", "copy", "iamRole"]
const ROLE = /^(?:default|arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/:-]+)$/

const refuse = (message: string, fix = `write it as ${EXAMPLE}`): Result.Result<never, Unusable> =>
  Result.fail({ message, fix })

const SECRET = refuse(
  "the URL of a Redshift holds a user or a password",
  "leave it out: the AWS SDK finds the credentials, or name a secret with ?secretArn=…"
)

export const parse = (text: string): Result.Result<RedshiftTarget, Unusable> => {
  if (Location.holdsSecret(text)) return SECRET
  if (!URL.canParse(text)) return refuse("it is no URL")
  const url = new URL(text)
  if (url.protocol !== PROTOCOL) return refuse(`"${text}" does not begin with redshift-data://`)
  const [, name = "", database = "", ...rest] = url.pathname.split("/").map(decoded)
  const kind = url.hostname
  if (kind !== "workgroup" && kind !== "cluster") {
    return refuse(`"${kind}" is neither "workgroup" (serverless) nor "cluster" (provisioned)`)
  }
  if (name === "" || database === "" || rest.length > 0) return refuse(`the path names no ${kind} and database`)
  return options({ kind, name, database }, url.searchParams)
}

/** What is no percent-encoding names nothing. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return ""
  }
}

const options = (
  place: Pick<RedshiftTarget, "kind" | "name" | "database">,
  given: URLSearchParams
): Result.Result<RedshiftTarget, Unusable> => {
  const unknown = [...given.keys()].find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined) return refuse(`"${unknown}" is no option`, `the options are ${OPTIONS.join(", ")}`)
  const option = (name: string): string | undefined => given.get(name) || undefined
  const [dbUser, secretArn, endpoint] = [option("dbUser"), option("secretArn"), option("endpoint")]
  if (dbUser !== undefined && place.kind === "workgroup") {
    return refuse(
      "dbUser is for clusters: in a workgroup the database user follows from the IAM identity",
      "leave it out"
    )
  }
  if (dbUser !== undefined && secretArn !== undefined) {
    return refuse("dbUser and secretArn are two ways to log in", "leave one of them out")
  }
  if (endpoint !== undefined && Location.holdsSecret(endpoint)) return SECRET
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    return refuse(`the endpoint "${endpoint}" is no http address`, "write it as endpoint=https://host")
  }
  const schema = option("schema") ?? "warehouse"
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    return refuse(`"${schema}" is no name for a schema`, "use small letters, digits and _, as in schema=warehouse")
  }
  const region = option("region")
  return Result.map(
    copySource(option("copy"), option("iamRole"), region),
    (copy) => ({ ...place, schema, region, endpoint, dbUser, secretArn, copy })
  )
}

const copySource = (
  text: string | undefined,
  role: string | undefined,
  region: string | undefined
): Result.Result<CopySource | undefined, Unusable> => {
  const iamRole = role ?? "default"
  if (!ROLE.test(iamRole)) {
    return refuse(`"${iamRole}" is no role`, "write iamRole=arn:aws:iam::123456789012:role/NAME, or leave it out")
  }
  if (text === undefined) {
    return role === undefined
      ? Result.succeed(undefined)
      : refuse("iamRole is who reads the bucket of copy, and there is none", "add copy=s3://bucket/prefix")
  }
  return Result.flatMap(
    Result.mapError(Location.parse(text, "/"), ({ fix, message }): Unusable => ({ message: `copy: ${message}`, fix })),
    (location) =>
      location.kind === "bucket" && location.dialect === "s3"
        ? Result.succeed({ bucket: { ...location, region: location.region ?? region }, iamRole })
        : refuse("copy: Redshift copies from buckets of S3 only", "write copy=s3://bucket/prefix")
  )
}

/** The bucket's name is in `copy`, not where a lake has it. */
export const fixOfCopy = (fix: string): string => fix.replaceAll("BAROGRAPH_LAKE", "the copy= of BAROGRAPH_WAREHOUSE")

/** For people, and what makes a warehouse another one. */
export const describe = ({ database, endpoint, kind, name, region, schema }: RedshiftTarget): string =>
  `redshift-data ${kind} ${name}/${database}${region === undefined ? "" : ` in ${region}`}`
  + `${schema === "warehouse" ? "" : `, schema ${schema}`}${endpoint === undefined ? "" : ` at ${endpoint}`}`

/** With the way that rows take, which makes no other warehouse of it. */
export const describeLoads = (target: RedshiftTarget): string =>
  target.copy === undefined
    ? describe(target)
    : `${describe(target)}, large loads through ${Location.render(target.copy.bucket)}`
