/** Names a vendor's account by a digest of the key that it goes by: the same in every process, and no secret. */
import * as Crypto from "node:crypto"

export const name = (source: string, key: string): string =>
  `${source}/${Crypto.createHash("sha256").update(key).digest("hex").slice(0, 12)}`
