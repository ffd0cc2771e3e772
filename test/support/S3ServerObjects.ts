/** The buckets of the stand-in: objects with their conditions, and uploads in parts. Every change is one synchronous step. */
import * as Crypto from "node:crypto"
import * as S3ServerBody from "./S3ServerBody.ts"
import { noSuchBucket, noSuchKey, preconditionFailed, S3ServerError } from "./S3ServerError.ts"

export interface StoredObject {
  readonly bytes: Buffer
  /** With its quotes, as in the header. */
  readonly etag: string
  readonly crc32: string
  readonly modified: number
  /** Headers that come back as they were given: type, user metadata, storage class, encryption. */
  readonly headers: { readonly [name: string]: string }
}

export interface Conditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

interface Upload {
  readonly key: string
  readonly headers: { readonly [name: string]: string }
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>
}

const md5 = (bytes: Uint8Array): Buffer => Crypto.createHash("md5").update(bytes).digest()

export class Bucket {
  readonly objects = new Map<string, StoredObject>()
  readonly uploads = new Map<string, Upload>()
  private created = 0

  get(key: string): StoredObject {
    const found = this.objects.get(key)
    if (found === undefined) throw noSuchKey(key)
    return found
  }

  /** `If-Match` and `If-None-Match: *` of a write. */
  check(key: string, { ifMatch, ifNoneMatch }: Conditions): void {
    const held = this.objects.get(key)
    if (ifNoneMatch === "*" && held !== undefined) throw preconditionFailed("If-None-Match")
    if (ifMatch === undefined) return
    if (held === undefined) throw noSuchKey(key)
    if (ifMatch !== "*" && ifMatch.replaceAll("\"", "") !== held.etag.replaceAll("\"", "")) {
      throw preconditionFailed("If-Match")
    }
  }

  put(key: string, bytes: Buffer, headers: StoredObject["headers"], now: number, conditions: Conditions): StoredObject {
    this.check(key, conditions)
    const etag = `"${md5(bytes).toString("hex")}"`
    const stored = { bytes, etag, crc32: S3ServerBody.crc32(bytes), modified: now, headers }
    this.objects.set(key, stored)
    return stored
  }

  remove(key: string, conditions: Conditions): void {
    if (conditions.ifMatch !== undefined && !this.objects.has(key)) throw preconditionFailed("If-Match")
    this.check(key, conditions)
    this.objects.delete(key)
  }

  startUpload(key: string, headers: StoredObject["headers"]): string {
    const id = `upload-${++this.created}`
    this.uploads.set(id, { key, headers, parts: new Map() })
    return id
  }

  upload(id: string): Upload {
    const found = this.uploads.get(id)
    if (found === undefined) throw new S3ServerError(404, "NoSuchUpload", "The specified upload does not exist.")
    return found
  }

  putPart(id: string, number: number, bytes: Buffer): string {
    const etag = `"${md5(bytes).toString("hex")}"`
    this.upload(id).parts.set(number, { bytes, etag })
    return etag
  }

  complete(id: string, wanted: ReadonlyArray<{ number: number; etag: string }>, now: number, conditions: Conditions) {
    const { headers, key, parts } = this.upload(id)
    this.check(key, conditions)
    const chosen = wanted.map(({ etag, number }, at) => {
      const part = parts.get(number)
      if (at > 0 && number <= wanted[at - 1]!.number) {
        throw new S3ServerError(400, "InvalidPartOrder", "Parts are out of order")
      }
      if (part === undefined || part.etag.replaceAll("\"", "") !== etag.replaceAll("\"", "")) {
        throw new S3ServerError(400, "InvalidPart", "One or more of the specified parts could not be found.")
      }
      return part
    })
    const small = chosen.slice(0, -1).some(({ bytes }) => bytes.length < 5 * 1024 * 1024)
    if (small) {
      throw new S3ServerError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    }
    const bytes = Buffer.concat(chosen.map((part) => part.bytes))
    const digest = md5(Buffer.concat(chosen.map((part) => md5(part.bytes)))).toString("hex")
    const stored = {
      bytes,
      etag: `"${digest}-${chosen.length}"`,
      crc32: S3ServerBody.crc32(bytes),
      modified: now,
      headers
    }
    this.objects.set(key, stored)
    this.uploads.delete(id)
    return stored
  }

  /** One page of keys after `after`, in byte order. */
  list(prefix: string, after: string, max: number): { readonly keys: ReadonlyArray<string>; readonly more: boolean } {
    const all = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && compare(key, after) > 0)
      .sort(compare)
    return { keys: all.slice(0, max), more: all.length > max }
  }
}

// S3 lists in the order of UTF-8 bytes.
const compare = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right))

export class Buckets {
  readonly all = new Map<string, Bucket>()

  get(name: string): Bucket {
    const found = this.all.get(name)
    if (found === undefined) throw noSuchBucket(name)
    return found
  }
}
