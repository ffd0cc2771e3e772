import { expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as RedshiftTarget from "../../../src/layers/warehouse/RedshiftTarget.ts"

const parsed = (url: string) => Result.getOrThrow(RedshiftTarget.parse(url))
const refused = (url: string) => Result.getOrThrow(Result.flip(RedshiftTarget.parse(url))).message

it("a workgroup and its database are enough; the SDK finds the region", () => {
  expect(parsed("redshift-data://workgroup/analytics/dev")).toEqual({
    kind: "workgroup",
    name: "analytics",
    database: "dev",
    schema: "warehouse",
    region: undefined,
    endpoint: undefined,
    dbUser: undefined,
    secretArn: undefined,
    copy: undefined
  })
})

it("a cluster may name its database user, its region, schema and endpoint", () => {
  const target = parsed(
    "redshift-data://cluster/c-1/dev?dbUser=loader&region=eu-west-1&schema=bars_2&endpoint=http://localhost:1"
  )
  expect(target).toMatchObject({ kind: "cluster", dbUser: "loader", region: "eu-west-1", schema: "bars_2" })
  expect(RedshiftTarget.describe(target)).toBe(
    "redshift-data cluster c-1/dev in eu-west-1, schema bars_2 at http://localhost:1"
  )
})

it("a secret is named, never written into the URL", () => {
  const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:loader"
  expect(parsed(`redshift-data://workgroup/a/dev?secretArn=${encodeURIComponent(arn)}`).secretArn).toBe(arn)
  for (
    const url of [
      "redshift-data://me:secret@workgroup/a/dev",
      "redshift-data://me:sec/ret@workgroup/a/dev",
      "redshift-data://workgroup/a/dev?endpoint=http://me:secret@localhost:1",
      "redshift-data://workgroup/a/dev?copy=s3://me:secret@bucket/prefix"
    ]
  ) expect(refused(url)).not.toMatch(/sec\/?ret@/)
})

it("a bucket for COPY is in the warehouse's region unless it says otherwise, read by the default role or a named one", () => {
  const role = "arn:aws:iam::123456789012:role/service-role/loader"
  const plain = parsed("redshift-data://workgroup/a/dev?region=eu-west-1&copy=s3://b-1/tmp/loads")
  expect(plain.copy).toMatchObject({
    bucket: { bucket: "b-1", prefix: "tmp/loads", region: "eu-west-1", endpoint: undefined },
    iamRole: "default"
  })
  const elsewhere = parsed(
    `redshift-data://workgroup/a/dev?region=eu-west-1&copy=s3://b-1?region=us-east-2%26encryption=AES256&iamRole=${role}`
  )
  expect(elsewhere.copy).toMatchObject({ bucket: { region: "us-east-2", encryption: "AES256" }, iamRole: role })
  // Another way in is no other warehouse.
  expect(RedshiftTarget.describe(plain)).toBe("redshift-data workgroup a/dev in eu-west-1")
  expect(RedshiftTarget.describeLoads(plain)).toBe(
    "redshift-data workgroup a/dev in eu-west-1, large loads through s3://b-1/tmp/loads"
  )
})

it("what cannot be used is refused with a sentence", () => {
  expect([
    "redshift-data",
    "redshift-data://serverless/a/dev",
    "redshift-data://workgroup/a",
    "redshift-data://workgroup/a/dev/more",
    "redshift-data://workgroup/100%FF/dev",
    "redshift-data://workgroup/a/dev?reigon=x",
    "redshift-data://workgroup/a/dev?dbUser=x",
    "redshift-data://cluster/a/dev?dbUser=x&secretArn=y",
    "redshift-data://workgroup/a/dev?schema=drop table",
    "redshift-data://workgroup/a/dev?endpoint=localhost",
    "redshift-data://workgroup/a/dev?copy=gs://bucket/prefix",
    "redshift-data://workgroup/a/dev?copy=./directory",
    "redshift-data://workgroup/a/dev?copy=s3://bucket/prefix?reigon=x",
    "redshift-data://workgroup/a/dev?copy=s3://bucket/prefix&iamRole=loader' manifest",
    "redshift-data://workgroup/a/dev?iamRole=default"
  ].map(refused)).toEqual([
    "it is no URL",
    "\"serverless\" is neither \"workgroup\" (serverless) nor \"cluster\" (provisioned)",
    "the path names no workgroup and database",
    "the path names no workgroup and database",
    "the path names no workgroup and database",
    "\"reigon\" is no option",
    "dbUser is for clusters: in a workgroup the database user follows from the IAM identity",
    "dbUser and secretArn are two ways to log in",
    "\"drop table\" is no name for a schema",
    "the endpoint \"localhost\" is no http address",
    "copy: Redshift copies from buckets of S3 only",
    "copy: Redshift copies from buckets of S3 only",
    "copy: there is no parameter \"reigon\". Did you mean \"region\"?",
    "\"loader' manifest\" is no role",
    "iamRole is who reads the bucket of copy, and there is none"
  ])
})
