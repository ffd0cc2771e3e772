/** What each S3 operation does, as a pure step from a request to an answer. */
import type { IncomingMessage } from "node:http"
import type { Body } from "./S3ServerBody.ts"
import { preconditionFailed, S3ServerError } from "./S3ServerError.ts"
import { Bucket, type Buckets, type Conditions, type StoredObject } from "./S3ServerObjects.ts"
import * as S3ServerXml from "./S3ServerXml.ts"

export interface Call {
  readonly operation: string
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly buckets: Buckets
}

interface Request extends Call {
  readonly body: Body
  readonly now: number
  readonly gcs: boolean
}

export interface Answer {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
  readonly body?: Buffer
}

export const parse = (request: IncomingMessage, buckets: Buckets): Call => {
  const [path, search] = request.url!.split("?", 2)
  const [bucket, ...rest] = path!.slice(1).split("/")
  const key = rest.map(decodeURIComponent).join("/")
  const query = new URLSearchParams(search)
  const method = request.method!
  const call = { method, bucket: bucket!, key, query, headers: request.headers, buckets }
  return { ...call, operation: operationOf(method, bucket!, key, query) }
}

const operationOf = (method: string, bucket: string, key: string, query: URLSearchParams): string => {
  if (bucket === "") return "ListBuckets"
  if (key === "") return bucketOperation(method, query)
  if (query.has("uploads")) return "CreateMultipartUpload"
  if (query.has("uploadId")) {
    return ({ PUT: "UploadPart", POST: "CompleteMultipartUpload", DELETE: "AbortMultipartUpload", GET: "ListParts" })[
      method
    ]
      ?? "Unknown"
  }
  return ({ PUT: "PutObject", GET: "GetObject", HEAD: "HeadObject", DELETE: "DeleteObject" })[method] ?? "Unknown"
}

const bucketOperation = (method: string, query: URLSearchParams): string => {
  if (method === "POST" && query.has("delete")) return "DeleteObjects"
  if (method === "GET" && query.has("uploads")) return "ListMultipartUploads"
  return ({ PUT: "CreateBucket", HEAD: "HeadBucket", GET: "ListObjectsV2" })[method] ?? "Unknown"
}

export const handle = (request: Request): Answer => {
  const handler = handlers[request.operation]
  if (handler === undefined) throw new S3ServerError(501, "NotImplemented", `${request.method} is not implemented here`)
  return handler(
    request,
    request.operation === "ListBuckets" || request.operation === "CreateBucket"
      ? new Bucket()
      : request.buckets.get(request.bucket)
  )
}

const header = ({ headers }: Call, name: string): string | undefined => {
  const found = headers[name]
  return typeof found === "string" ? found : undefined
}

/** On Google's side conditions are generations, which are kept here as the modification number of the object. */
const conditionsOf = (request: Request, bucket: Bucket): Conditions => {
  const generation = header(request, "x-amz-if-generation-match")
  if (!request.gcs) {
    return { ifMatch: header(request, "if-match"), ifNoneMatch: header(request, "if-none-match") }
  }
  if (generation === undefined) return { ifMatch: undefined, ifNoneMatch: undefined }
  if (generation === "0") return { ifMatch: undefined, ifNoneMatch: "*" }
  const held = bucket.objects.get(request.key)
  if (held === undefined || held.headers["x-goog-generation"] !== generation) throw preconditionFailed("generation")
  return { ifMatch: held.etag, ifNoneMatch: undefined }
}

const KEPT = /^(content-type|x-amz-meta-.*|x-amz-storage-class|x-amz-server-side-encryption.*)$/
const CLASSES = new Set([
  "STANDARD",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
  "REDUCED_REDUNDANCY",
  "EXPRESS_ONEZONE"
])
let generations = 1_700_000_000_000_000

const keptHeaders = (request: Request): StoredObject["headers"] => {
  const kept: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (KEPT.test(name) && typeof value === "string") kept[name] = value
  }
  const storageClass = kept["x-amz-storage-class"]
  if (storageClass !== undefined && !CLASSES.has(storageClass)) {
    throw new S3ServerError(400, "InvalidStorageClass", "The storage class you specified is not valid")
  }
  if (request.gcs && String(request.headers["x-amz-content-sha256"]).startsWith("STREAMING-")) {
    throw new S3ServerError(400, "ExcessHeaderValues", "Trailing checksums are not supported")
  }
  return request.gcs ? { ...kept, "x-goog-generation": String(++generations) } : kept
}

const described = (stored: StoredObject, request: Request): { [name: string]: string } => ({
  etag: stored.etag,
  ...stored.headers,
  ...(request.headers["x-amz-checksum-mode"] === "ENABLED" || request.operation === "PutObject"
    ? { "x-amz-checksum-crc32": stored.crc32, "x-amz-checksum-type": "FULL_OBJECT" }
    : {})
})

const xml = (name: string, content: S3ServerXml.Node): Answer => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: Buffer.from(S3ServerXml.document(name, content))
})

const put = (request: Request, bucket: Bucket): Answer => {
  const conditions = conditionsOf(request, bucket)
  const stored = bucket.put(request.key, request.body.bytes, keptHeaders(request), request.now, conditions)
  return { status: 200, headers: described(stored, request) }
}

/** `bytes=a-b`, `bytes=a-`, `bytes=-n`: the first and the last byte, or undefined for the whole. */
const rangeOf = (text: string | undefined, length: number): readonly [number, number] | undefined => {
  const found = /^bytes=(\d*)-(\d*)$/.exec(text ?? "")
  if (found === null || (found[1] === "" && found[2] === "")) return undefined
  const from = found[1] === "" ? Math.max(0, length - Number(found[2])) : Number(found[1])
  const to = found[1] === "" || found[2] === "" ? length - 1 : Math.min(Number(found[2]), length - 1)
  if (from >= length || (found[1] === "" && Number(found[2]) === 0)) {
    throw new S3ServerError(416, "InvalidRange", "The requested range is not satisfiable", {
      "content-range": `bytes */${length}`
    })
  }
  return [from, to]
}

const get = (request: Request, bucket: Bucket): Answer => {
  const stored = bucket.get(request.key)
  const { ifMatch } = conditionsOf(request, bucket)
  if (ifMatch !== undefined && ifMatch.replaceAll("\"", "") !== stored.etag.replaceAll("\"", "")) {
    throw preconditionFailed("If-Match")
  }
  if (header(request, "if-none-match") === stored.etag) return { status: 304, headers: { etag: stored.etag } }
  const headers = {
    ...described(stored, request),
    "last-modified": new Date(stored.modified).toUTCString(),
    "accept-ranges": "bytes"
  }
  const range = rangeOf(header(request, "range"), stored.bytes.length)
  if (range === undefined) {
    return { status: 200, headers: { ...headers, "content-length": String(stored.bytes.length) }, body: stored.bytes }
  }
  const [from, to] = range
  // The checksum is of the whole object: S3 leaves it out of a part.
  const { "x-amz-checksum-crc32": _, "x-amz-checksum-type": __, ...partial } = headers as { [name: string]: string }
  return {
    status: 206,
    headers: { ...partial, "content-range": `bytes ${from}-${to}/${stored.bytes.length}` },
    body: stored.bytes.subarray(from, to + 1)
  }
}

const list = (request: Request, bucket: Bucket): Answer => {
  const { query } = request
  const prefix = query.get("prefix") ?? ""
  const max = Math.min(1000, Number(query.get("max-keys") ?? 1000))
  const token = query.get("continuation-token")
  const after = token === null ? query.get("start-after") ?? "" : Buffer.from(token, "base64url").toString()
  const { keys, more } = bucket.list(prefix, after, max)
  const shown = (key: string) => query.get("encoding-type") === "url" ? encodeURIComponent(key) : key
  const contents = keys.map((key): readonly [string, S3ServerXml.Node] => {
    const { bytes, etag, headers, modified } = bucket.get(key)
    return ["Contents", [
      ["Key", shown(key)],
      ["LastModified", new Date(modified).toISOString()],
      ["ETag", etag],
      ["Size", bytes.length],
      ["StorageClass", headers["x-amz-storage-class"] ?? "STANDARD"]
    ]]
  })
  const next: ReadonlyArray<readonly [string, S3ServerXml.Node]> = more
    ? [["NextContinuationToken", Buffer.from(keys.at(-1) ?? after).toString("base64url")]]
    : []
  return xml("ListBucketResult", [
    ["Name", request.bucket],
    ["Prefix", shown(prefix)],
    ["KeyCount", keys.length],
    ["MaxKeys", max],
    ["IsTruncated", more],
    ...next,
    ...contents
  ])
}

const removeMany = (request: Request, bucket: Bucket): Answer => {
  const keys = S3ServerXml.all(request.body.bytes.toString(), "Object").map((one) => S3ServerXml.one(one, "Key"))
  for (const key of keys) bucket.objects.delete(key)
  return xml("DeleteResult", keys.map((key) => ["Deleted", [["Key", key]]]))
}

const complete = (request: Request, bucket: Bucket): Answer => {
  const parts = S3ServerXml.all(request.body.bytes.toString(), "Part").map((one) => ({
    number: Number(S3ServerXml.one(one, "PartNumber")),
    etag: S3ServerXml.one(one, "ETag")
  }))
  const id = request.query.get("uploadId")!
  const { etag } = bucket.complete(id, parts, request.now, conditionsOf(request, bucket))
  return xml("CompleteMultipartUploadResult", [["Bucket", request.bucket], ["Key", request.key], ["ETag", etag]])
}

const handlers: { readonly [operation: string]: (request: Request, bucket: Bucket) => Answer } = {
  PutObject: put,
  GetObject: get,
  HeadObject: (request, bucket) => {
    const { body: _, ...answer } = get(request, bucket)
    return answer
  },
  DeleteObject: (request, bucket) => {
    bucket.remove(request.key, conditionsOf(request, bucket))
    return { status: 204 }
  },
  DeleteObjects: removeMany,
  ListObjectsV2: list,
  ListBuckets: ({ buckets }) =>
    xml("ListAllMyBucketsResult", [["Buckets", [...buckets.all.keys()].map((name) => ["Bucket", [["Name", name]]])]]),
  CreateBucket: ({ bucket, buckets }) => {
    if (!buckets.all.has(bucket)) buckets.all.set(bucket, new Bucket())
    return { status: 200 }
  },
  HeadBucket: () => ({ status: 200 }),
  CreateMultipartUpload: (request, bucket) =>
    xml("InitiateMultipartUploadResult", [
      ["Bucket", request.bucket],
      ["Key", request.key],
      ["UploadId", bucket.startUpload(request.key, keptHeaders(request))]
    ]),
  UploadPart: (request, bucket) => {
    const number = Number(request.query.get("partNumber"))
    const etag = bucket.putPart(request.query.get("uploadId")!, number, request.body.bytes)
    return { status: 200, headers: { etag, "x-amz-checksum-crc32": request.body.crc32 } }
  },
  CompleteMultipartUpload: complete,
  AbortMultipartUpload: (request, bucket) => {
    bucket.upload(request.query.get("uploadId")!)
    bucket.uploads.delete(request.query.get("uploadId")!)
    return { status: 204 }
  },
  ListParts: (request, bucket) =>
    xml(
      "ListPartsResult",
      [...bucket.upload(request.query.get("uploadId")!).parts].map(([number, { bytes, etag }]) => [
        "Part",
        [["PartNumber", number], ["ETag", etag], ["Size", bytes.length]]
      ])
    ),
  ListMultipartUploads: (_, bucket) =>
    xml(
      "ListMultipartUploadsResult",
      [...bucket.uploads].map(([id, { key }]) => [
        "Upload",
        [["Key", key], ["UploadId", id]]
      ])
    )
}
