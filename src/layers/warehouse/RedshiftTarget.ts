/**
 * Where a Redshift is and as whom to speak to it, as one URL:
 *
 *     redshift-data://workgroup/NAME/DATABASE?region=eu-central-1
 *     redshift-data://cluster/NAME/DATABASE?region=eu-central-1&dbUser=loader
 *
 * Options: `region` and `endpoint` (else as the AWS SDK finds them), `dbUser` (cluster only), `secretArn`, `schema`. The
 * URL holds no secret: credentials are found by the SDK's own chain, or lie in Secrets Manager under `secretArn`.
 */
import * as Result from "effect/Result"

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
}

/** Why the URL cannot be used, and what to write instead. */
export interface Unusable {
  readonly message: string
  readonly fix: string
}

export const PROTOCOL = "redshift-data:"
const EXAMPLE = "redshift-data://workgroup/analytics/dev?region=eu-central-1"
const OPTIONS = ["region", "endpoint", "dbUser", "secretArn", "schema"]

const refuse = (message: string, fix = `write it as ${EXAMPLE}`): Result.Result<never, Unusable> =>
  Result.fail({ message, fix })

export const parse = (text: string): Result.Result<RedshiftTarget, Unusable> => {
  if (!URL.canParse(text)) return refuse(`"${text}" is no URL`)
  const url = new URL(text)
  if (url.protocol !== PROTOCOL) return refuse(`"${text}" does not begin with redshift-data://`)
  if (url.username !== "" || url.password !== "") {
    return refuse(
      "the URL of a Redshift holds a user or a password",
      "leave it out: the AWS SDK finds the credentials, "
        + "or name a secret with ?secretArn=…"
    )
  }
  const [, name = "", database = "", ...rest] = url.pathname.split("/").map(decodeURIComponent)
  const kind = url.hostname
  if (kind !== "workgroup" && kind !== "cluster") {
    return refuse(`"${kind}" is neither "workgroup" (serverless) nor "cluster" (provisioned)`)
  }
  if (name === "" || database === "" || rest.length > 0) return refuse(`the path names no ${kind} and database`)
  return options({ kind, name, database }, url.searchParams)
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
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    return refuse(`the endpoint "${endpoint}" is no http address`, "write it as endpoint=https://host")
  }
  const schema = option("schema") ?? "warehouse"
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    return refuse(`"${schema}" is no name for a schema`, "use small letters, digits and _, as in schema=warehouse")
  }
  return Result.succeed({ ...place, schema, region: option("region"), endpoint, dbUser, secretArn })
}

/** For people, and what makes a warehouse another one. */
export const describe = ({ database, endpoint, kind, name, region, schema }: RedshiftTarget): string =>
  `redshift-data ${kind} ${name}/${database}${region === undefined ? "" : ` in ${region}`}`
  + `${schema === "warehouse" ? "" : `, schema ${schema}`}${endpoint === undefined ? "" : ` at ${endpoint}`}`
