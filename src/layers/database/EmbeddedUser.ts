/**
 * Whom the server runs as. PostgreSQL refuses to run as root, so under root it becomes an ordinary user that the system
 * already has; nothing is ever added to the system's user list. An ordinary user runs it as oneself.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Process from "node:process"
import { DatabaseError } from "./DatabaseError.ts"
import { NoServerUser } from "./EmbeddedReason.ts"
import { orUndefined } from "./FileFailure.ts"

export interface EmbeddedUser {
  readonly uid: number
  readonly gid: number
}

/** `name:password:uid:gid:…` lines, in order; others are ignored. */
const parsePasswd = (text: string): ReadonlyArray<EmbeddedUser & { readonly name: string }> =>
  text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":")
    return name === undefined || !/^\d+$/.test(uid ?? "") || !/^\d+$/.test(gid ?? "")
      ? []
      : [{ name, uid: Number(uid), gid: Number(gid) }]
  })

/** `nobody`, else the last ordinary user of the list: the earlier ones own parts of the system. */
const choose = (passwd: string): EmbeddedUser | undefined => {
  const users = parsePasswd(passwd).filter((user) => user.uid !== 0)
  const user = users.find(({ name }) => name === "nobody") ?? users.at(-1)
  return user && { uid: user.uid, gid: user.gid }
}

/**
 * Undefined when this process is no root and the server runs as the same user. Under root the owner of an existing data
 * directory stays its user, so `sudo` in someone's project does not take the database away from them.
 */
export const find = (data: string): Effect.Effect<EmbeddedUser | undefined, DatabaseError> =>
  Effect.suspend(() => {
    if (Process.geteuid?.() !== 0) return Effect.succeed(undefined)
    const owner = orUndefined(() => Fs.statSync(data))
    if (owner !== undefined && owner.uid !== 0) return Effect.succeed({ uid: owner.uid, gid: owner.gid })
    const user = choose(orUndefined(() => Fs.readFileSync("/etc/passwd", "utf8")) ?? "")
    return user === undefined
      ? Effect.fail(
        new DatabaseError({ reason: new NoServerUser({ text: "/etc/passwd has no user other than root" }) })
      )
      : Effect.succeed(user)
  })
