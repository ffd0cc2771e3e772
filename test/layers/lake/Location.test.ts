import { expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Location from "../../../src/layers/lake/Location.ts"

const parsed = (text: string) => Result.getOrThrow(Location.parse(text, "/work"))

it("a directory is a path, relative or not, or a file URL", () => {
  expect(parsed("lake")).toEqual({ kind: "directory", path: "/work/lake" })
  expect(parsed("/a/b")).toEqual({ kind: "directory", path: "/a/b" })
  expect(parsed("file:///a%20b")).toEqual({ kind: "directory", path: "/a b" })
  expect(Location.render(parsed("/a b"))).toBe("file:///a%20b")
})

it("a bucket has a prefix, and parameters that are what they say", () => {
  expect(parsed("s3://my-lake//bars/v1/?region=eu-central-1&storageClass=STANDARD_IA&encryption=aws:kms&kmsKeyId=k"))
    .toEqual({
      kind: "bucket",
      dialect: "s3",
      bucket: "my-lake",
      prefix: "bars/v1",
      region: "eu-central-1",
      endpoint: undefined,
      pathStyle: false,
      storageClass: "STANDARD_IA",
      encryption: "aws:kms",
      kmsKeyId: "k",
      owner: undefined
    })
  expect(Location.render(parsed("s3://my-lake/bars?region=eu-central-1"))).toBe("s3://my-lake/bars")
})

it("a server of one's own is addressed by path, and is another lake", () => {
  const minio = parsed("s3://lake?endpoint=http://localhost:9000")
  expect(minio).toMatchObject({ prefix: "", region: "us-east-1", pathStyle: true })
  expect(Location.render(minio)).toBe("s3://lake?endpoint=http://localhost:9000")
  expect(parsed("s3://lake?endpoint=https://a.example&pathStyle=false")).toMatchObject({ pathStyle: false })
})

it("Google's interoperability has its endpoint by itself", () => {
  const google = parsed("gs://lake/bars")
  expect(google).toMatchObject({ dialect: "gcs", endpoint: "https://storage.googleapis.com", region: "auto" })
  expect(Location.render(google)).toBe("gs://lake/bars")
})

it("what is wrong is said, with what to write instead", () => {
  const said = (text: string) => {
    const { fix, message } = Result.getOrThrow(Result.flip(Location.parse(text, "/work")))
    return `${message} | ${fix}`
  }
  expect(said("ftp://x")).toContain("neither a directory nor a bucket | give a directory")
  expect(said("s3://")).toContain("names no bucket | write s3://bucket/prefix")
  expect(said("s3://my lake/x")).toContain("names no bucket")
  expect(said("s3://lake?regin=x")).toContain("there is no parameter \"regin\". Did you mean \"region\"?")
  expect(said("s3://lake?region=")).toContain("\"region\" is empty")
  expect(said("s3://lake?region=a&region=b")).toContain("given twice")
  expect(said("s3://lake?endpoint=localhost:9000")).toContain("no http(s)://host")
  expect(said("s3://lake?encryption=rot13")).toContain("encryption is one of AES256")
  expect(said("s3://lake?kmsKeyId=k")).toContain("kmsKeyId needs encryption=aws:kms")
  expect(said("s3://lake?pathStyle=yes")).toContain("pathStyle is true or false")
  expect(said("s3://lake?storageClass=GLACIER")).toContain("cannot be read at once | leave it out")
})

it("an address that lacks a slash, or has none, does not become a directory of that name", () => {
  for (const text of ["s3:/lake/bars", "s3:lake", "arn:aws:s3:::lake", "S3:lake"]) {
    const { fix, message } = Result.getOrThrow(Result.flip(Location.parse(text, "/work")))
    expect(message).toBe(`"${text}" is neither a directory nor a bucket`)
    expect(fix).toContain("s3://bucket/prefix")
  }
  expect(parsed(" s3://lake/bars ")).toMatchObject({ bucket: "lake", prefix: "bars" })
  expect(parsed("./s3:x")).toEqual({ kind: "directory", path: "/work/s3:x" })
})

it("a key in the address is refused, and never shown: addresses are logged", () => {
  for (const text of ["s3://KEY:SECRET@lake/x", "s3://lake/x?endpoint=http://KEY:SECRET@localhost:9000"]) {
    const { fix, message } = Result.getOrThrow(Result.flip(Location.parse(text, "/work")))
    expect(message).toContain("holds a user or a password")
    expect(`${message} ${fix}`).not.toContain("SECRET@")
    expect(fix).toContain("AWS_SECRET_ACCESS_KEY")
  }
})
