/** Bodies as S3 takes them: plain or `aws-chunked`, with the checksum in a header or in a trailer, all of it verified. */
import * as Crypto from "node:crypto"
import type { IncomingMessage } from "node:http"
import * as Zlib from "node:zlib"
import { S3ServerError } from "./S3ServerError.ts"

export interface Body {
  readonly bytes: Buffer
  /** Base64, of these bytes. */
  readonly crc32: string
}

export const crc32 = (bytes: Uint8Array): string => {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(Zlib.crc32(bytes))
  return out.toString("base64")
}

export const read = async (request: IncomingMessage): Promise<Body> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  const streaming = String(request.headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-")
  const { bytes, trailers } = streaming ? dechunk(raw) : { bytes: raw, trailers: new Map<string, string>() }
  verify(request, bytes, trailers)
  return { bytes, crc32: crc32(bytes) }
}

/** `size[;chunk-signature=…]\r\n bytes \r\n … 0\r\n trailer:value\r\n\r\n` */
const dechunk = (raw: Buffer): { readonly bytes: Buffer; readonly trailers: Map<string, string> } => {
  const parts: Array<Buffer> = []
  let at = 0
  while (true) {
    const end = raw.indexOf("\r\n", at)
    if (end < 0) throw incomplete()
    const size = Number.parseInt(raw.toString("latin1", at, end), 16)
    if (!Number.isInteger(size) || end + 2 + size > raw.length) throw incomplete()
    at = end + 2
    if (size === 0) break
    parts.push(raw.subarray(at, at + size))
    at += size + 2
  }
  const trailers = new Map<string, string>()
  for (const line of raw.toString("latin1", at).split("\r\n")) {
    const colon = line.indexOf(":")
    if (colon > 0) trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { bytes: Buffer.concat(parts), trailers }
}

const incomplete = () => new S3ServerError(400, "IncompleteBody", "The request body terminated unexpectedly")

const verify = (request: IncomingMessage, bytes: Buffer, trailers: ReadonlyMap<string, string>): void => {
  const header = (name: string): string | undefined => {
    const found = request.headers[name]
    return trailers.get(name) ?? (typeof found === "string" ? found : undefined)
  }
  const decoded = header("x-amz-decoded-content-length")
  if (decoded !== undefined && Number(decoded) !== bytes.length) throw incomplete()
  const declared = header("x-amz-trailer")
  if (declared !== undefined && !trailers.has(declared.toLowerCase())) {
    throw new S3ServerError(
      400,
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed"
    )
  }
  const checksum = header("x-amz-checksum-crc32")
  if (checksum !== undefined && checksum !== crc32(bytes)) {
    throw new S3ServerError(400, "BadDigest", "The CRC32 you specified did not match the calculated checksum.")
  }
  const md5 = header("content-md5")
  if (md5 !== undefined && md5 !== Crypto.createHash("md5").update(bytes).digest("base64")) {
    throw new S3ServerError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
  }
  const sha = header("x-amz-content-sha256")
  if (sha !== undefined && /^[0-9a-f]{64}$/.test(sha) && sha !== sha256(bytes)) {
    throw new S3ServerError(400, "XAmzContentSHA256Mismatch", "The provided SHA256 does not match what was computed.")
  }
}

const sha256 = (bytes: Buffer): string => Crypto.createHash("sha256").update(bytes).digest("hex")
