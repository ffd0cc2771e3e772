/**
 * Finds its way through JSON text that may be cut off or damaged, where `JSON.parse` only says no. Positions are
 * indices into the text; -1 stands for damage: the end of the text, or a control character inside a string, which
 * valid JSON never holds and a lost quote soon runs into.
 *
 * It locates values and does not judge their inside; who reads a value checks it.
 */
const QUOTE = 34
const BACKSLASH = 92

/** The first position from `at` on that holds no white space. */
export const skipBlank = (text: string, at: number): number => {
  let i = at
  for (let code = text.charCodeAt(i); code === 32 || code === 10 || code === 13 || code === 9;) {
    code = text.charCodeAt(++i)
  }
  return i
}

/** The position after the string that begins at `at`. */
export const stringEnd = (text: string, at: number): number => {
  if (text.charCodeAt(at) !== QUOTE) return -1
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i + 1
    if (code < 32) return -1
    if (code === BACKSLASH) i++
  }
  return -1
}

/** The position after a number or a literal such as `null`: whatever ends at white space, a comma or a bracket. */
const scalarEnd = (text: string, at: number): number => {
  let i = at
  while (i < text.length && !" \n\r\t,}]{[:\"".includes(text[i]!)) i++
  return i === at || i === text.length ? -1 : i
}

const nestedEnd = (text: string, at: number): number => {
  const open: Array<string> = []
  for (let i = at; i < text.length; i++) {
    const char = text[i]
    if (char === "\"") {
      i = stringEnd(text, i) - 1
      if (i < 0) return -1
    } else if (char === "{") open.push("}")
    else if (char === "[") open.push("]")
    else if (char === "}" || char === "]") {
      if (open.pop() !== char) return -1
      if (open.length === 0) return i + 1
    }
  }
  return -1
}

/** The position after the value that begins at `at`, whatever its kind. */
export const valueEnd = (text: string, at: number): number => {
  const char = text[at]
  if (char === "\"") return stringEnd(text, at)
  return char === "{" || char === "[" ? nestedEnd(text, at) : scalarEnd(text, at)
}

/** One name and value of the outermost object. `end` is -1 where the text breaks off inside the value. */
export interface Member {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** The members of the outermost object up to the damage; `closed` when there is none from first to last character. */
export interface Outline {
  readonly members: ReadonlyArray<Member>
  readonly closed: boolean
}

export const outline = (text: string): Outline => {
  const members: Array<Member> = []
  let at = skipBlank(text, 0)
  if (text[at] !== "{") return { members, closed: false }
  if (text[skipBlank(text, at + 1)] === "}") return { members, closed: endsAfter(text, skipBlank(text, at + 1)) }
  while (text[at] === "{" || text[at] === ",") {
    const member = memberAt(text, skipBlank(text, at + 1))
    if (member === undefined) return { members, closed: false }
    members.push(member)
    if (member.end === -1) return { members, closed: false }
    at = skipBlank(text, member.end)
    if (text[at] === "{") return { members, closed: false }
  }
  return { members, closed: text[at] === "}" && endsAfter(text, at) }
}

const memberAt = (text: string, at: number): Member | undefined => {
  const nameEnd = stringEnd(text, at)
  const colon = nameEnd === -1 ? -1 : skipBlank(text, nameEnd)
  if (colon === -1 || text[colon] !== ":") return undefined
  const start = skipBlank(text, colon + 1)
  return { name: text.slice(at + 1, nameEnd - 1), start, end: valueEnd(text, start) }
}

const endsAfter = (text: string, at: number): boolean => skipBlank(text, at + 1) === text.length

/** A string value's content; a cut one's beginning; undefined for other kinds. */
export const stringOf = (text: string, member: Member): string | undefined => {
  if (text[member.start] !== "\"") return undefined
  if (member.end === -1) return text.slice(member.start + 1)
  const value = parsed(text.slice(member.start, member.end))
  return typeof value === "string" ? value : undefined
}

/** `JSON.parse` with undefined for damage. */
export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
