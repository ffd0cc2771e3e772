/**
 * The members of the outermost object of JSON that may be cut off or damaged, where `JSON.parse` only says no: what an
 * answer says about itself, and where its data begins.
 */
import * as Json from "./JsonBytes.ts"

/** Where the text begins: after a byte order mark. */
export const start = (bytes: Uint8Array): number => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0

/** One name and value of the outermost object. `end` is -1 where the text breaks off inside the value. */
export interface Member {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** The members of the outermost object up to the damage; `closed` when there is none from first to last byte. */
export interface Outline {
  readonly members: ReadonlyArray<Member>
  readonly closed: boolean
}

/** The member that `stop` chooses ends the reading without a look into it: its `end` is -1, and `closed` is false. */
export const outline = (bytes: Uint8Array, stop: (member: Member) => boolean = () => false): Outline => {
  const first = Json.skipBlank(bytes, start(bytes))
  if (bytes[first] !== Json.OPEN_OBJECT) return { members: [], closed: false }
  const members: Array<Member> = []
  const isEmpty = bytes[Json.skipBlank(bytes, first + 1)] === Json.CLOSE_OBJECT
  let at = isEmpty ? Json.skipBlank(bytes, first + 1) : addMember(bytes, first, stop, members)
  while (bytes[at] === Json.COMMA) at = addMember(bytes, at, stop, members)
  return { members, closed: endsAt(bytes, at) }
}

/** Whether the rest, from the end of a member on, is whole: more members or none, the closing brace, nothing after it. */
export const closesFrom = (bytes: Uint8Array, memberEnd: number): boolean => {
  let at = Json.skipBlank(bytes, memberEnd)
  while (bytes[at] === Json.COMMA) at = addMember(bytes, at, () => false, [])
  return endsAt(bytes, at)
}

const endsAt = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === Json.CLOSE_OBJECT && Json.skipBlank(bytes, at + 1) === bytes.length

/** Adds the member after the brace or comma at `at`. The position of what follows it; -1 for damage and for the stop. */
const addMember = (
  bytes: Uint8Array,
  at: number,
  stop: (member: Member) => boolean,
  members: Array<Member>
): number => {
  const quote = Json.skipBlank(bytes, at + 1)
  const nameEnd = Json.stringEnd(bytes, quote)
  const colon = nameEnd === -1 ? -1 : Json.skipBlank(bytes, nameEnd)
  if (colon === -1 || bytes[colon] !== Json.COLON) return -1
  const member = { name: nameOf(bytes, quote, nameEnd), start: Json.skipBlank(bytes, colon + 1), end: -1 }
  const stopped = stop(member)
  const end = stopped ? -1 : Json.valueEnd(bytes, member.start)
  members.push({ ...member, end })
  return end === -1 ? -1 : Json.skipBlank(bytes, end)
}

/** Without its escapes, if it has any. */
const nameOf = (bytes: Uint8Array, quote: number, end: number): string => {
  const name = Json.text(bytes, quote + 1, end - 1)
  const parsed = name.includes("\\") ? Json.parsed(bytes, quote, end) : undefined
  return typeof parsed === "string" ? parsed : name
}

/** A string value's content; a cut one's beginning; undefined for other kinds. */
export const stringOf = (bytes: Uint8Array, { end, start }: Member): string | undefined => {
  if (bytes[start] !== Json.QUOTE) return undefined
  if (end === -1) return Json.text(bytes, start + 1, bytes.length)
  const value = Json.parsed(bytes, start, end)
  return typeof value === "string" ? value : undefined
}
