/** The stand-in, asked by the SDK's own client for what the product's layer does not use, and told what S3 refuses. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand
} from "@aws-sdk/client-s3"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Readable } from "node:stream"
import * as S3Server from "./S3Server.ts"

const at = { Bucket: "lake", Key: "a b/symbol=BRK%2FB/ä+x" }

const withClient = (use: (client: S3Client, server: S3Server.S3Server) => Promise<void>) =>
  Effect.flatMap(S3Server.make(), (server) =>
    Effect.promise(async () => {
      const credentials = { accessKeyId: "a", secretAccessKey: "b" }
      const options = { endpoint: server.url, region: "us-east-1", forcePathStyle: true, maxAttempts: 1, credentials }
      const client = new S3Client(options)
      await use(client, server).finally(() => client.destroy())
    }))

const codeOf = (refused: Promise<unknown>) => refused.then(() => "done", (error: Error) => error.name)

it.live("a streamed body arrives without its chunks, its checksum checked from the trailer", () =>
  withClient(async (client, server) => {
    const bytes = Buffer.alloc(200_000, 7)
    const Body = Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)])
    await client.send(new PutObjectCommand({ ...at, Body, ContentLength: bytes.length }))
    expect(server.seen[0]!.headers["x-amz-content-sha256"]).toBe("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    expect(server.buckets.get("lake").get(at.Key).bytes.equals(bytes)).toBe(true)
    const found = await client.send(new GetObjectCommand(at))
    expect(found.ChecksumCRC32).toBe(server.buckets.get("lake").get(at.Key).crc32)
    expect(Buffer.from(await found.Body!.transformToByteArray()).equals(bytes)).toBe(true)
  }))

it.live("a checksum that does not match is refused, and nothing is stored", () =>
  withClient(async (client, server) => {
    expect(await codeOf(client.send(new PutObjectCommand({ ...at, Body: "x", ChecksumCRC32: "AAAAAA==" })))).toBe(
      "BadDigest"
    )
    expect(await codeOf(client.send(new PutObjectCommand({ ...at, Body: "x", StorageClass: "COLD" as "GLACIER" }))))
      .toBe("InvalidStorageClass")
    expect(server.buckets.get("lake").objects.size).toBe(0)
  }))

it.live("a body damaged on its way back is noticed by the client", () =>
  withClient(async (client, server) => {
    await client.send(new PutObjectCommand({ ...at, Body: "hello" }))
    server.buckets.get("lake").get(at.Key).bytes[0] = 0
    const { Body } = await client.send(new GetObjectCommand(at))
    await expect(Body!.transformToByteArray()).rejects.toThrow(/checksum/i)
  }))

it.live("an upload in parts becomes one object under its conditions, or nothing", () =>
  withClient(async (client, server) => {
    const part = Buffer.alloc(5 * 1024 * 1024, 1)
    const upload = async () => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...at, Metadata: { note: "n" } }))
      const parts = []
      for (const [index, Body] of [part, Buffer.from("end")].entries()) {
        const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: index + 1, Body }))
        parts.push({ PartNumber: index + 1, ETag })
      }
      return { UploadId, MultipartUpload: { Parts: parts } }
    }
    const first = await upload()
    expect((await client.send(new ListPartsCommand({ ...at, UploadId: first.UploadId }))).Parts).toHaveLength(2)
    await client.send(new CompleteMultipartUploadCommand({ ...at, ...first, IfNoneMatch: "*" }))
    expect(await client.send(new HeadObjectCommand(at))).toMatchObject({
      ContentLength: part.length + 3,
      Metadata: { note: "n" }
    })
    const second = await upload()
    const completed = client.send(new CompleteMultipartUploadCommand({ ...at, ...second, IfNoneMatch: "*" }))
    expect(await codeOf(completed)).toBe("PreconditionFailed")
    expect((await client.send(new ListMultipartUploadsCommand({ Bucket: "lake" }))).Uploads).toHaveLength(1)
    await client.send(new AbortMultipartUploadCommand({ ...at, UploadId: second.UploadId }))
    expect(server.buckets.get("lake").uploads.size).toBe(0)
  }))

it.live("keys are listed in pages, and many are deleted by one request", () =>
  withClient(async (client, server) => {
    for (const key of ["b/1", "a/&<>\"'", "a/2"]) {
      await client.send(new PutObjectCommand({ ...at, Key: key, Body: key }))
    }
    const page = await client.send(new ListObjectsV2Command({ Bucket: "lake", Prefix: "a/", MaxKeys: 1 }))
    expect(page).toMatchObject({ IsTruncated: true, KeyCount: 1, Contents: [{ Key: "a/&<>\"'", Size: 7 }] })
    const next = { Bucket: "lake", Prefix: "a/", ContinuationToken: page.NextContinuationToken }
    expect(await client.send(new ListObjectsV2Command(next))).toMatchObject({
      IsTruncated: false,
      Contents: [{ Key: "a/2" }]
    })
    const Objects = [{ Key: "b/1" }, { Key: "a/&<>\"'" }]
    await client.send(new DeleteObjectsCommand({ Bucket: "lake", Delete: { Objects } }))
    expect([...server.buckets.get("lake").objects.keys()]).toEqual(["a/2"])
  }))

it.live("a request without a signature is denied", () =>
  withClient(async (_, server) => {
    const answer = await fetch(`${server.url}/lake/x`)
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("AccessDenied")])
  }))
