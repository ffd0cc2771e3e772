/**
 * Messages as Slack takes them: blocks, and a text for notifications. Everything that is not ours is escaped and in
 * preformatted text, so that no error message calls a channel or a person, and nothing is longer than Slack accepts.
 *
 * Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 150 characters of a header, 3000 of a section) and
 * `msg_blocks_too_long`, which is documented nowhere and was seen by others from some 13,000 characters on.
 */
import * as Alert from "../../runtime/automation/Alert.ts"

const HEADER = 150
const SECTION = 3000
/** Of the text beside the blocks, which says the same in short. */
const FALLBACK = 500

interface Text {
  readonly type: "mrkdwn" | "plain_text"
  readonly text: string
  readonly verbatim?: true
}

type Block =
  | { readonly type: "header" | "section"; readonly text: Text }
  | { readonly type: "context"; readonly elements: ReadonlyArray<Text> }

export interface Payload {
  readonly text: string
  readonly blocks: ReadonlyArray<Block>
}

const ENTITIES: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;" }

/** Escaped, and no longer than `limit`: no entity and no character is cut in two. */
export const escape = (text: string, limit: number): string => {
  let escaped = ""
  for (const character of text) {
    const next = ENTITIES[character] ?? character
    if (escaped.length + next.length > limit - 1) return `${escaped}…`
    escaped += next
  }
  return escaped
}

const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`

const FENCE = "```"
const ZERO_WIDTH_SPACE = "\u200b"

/** A fence within would end the preformatted text; `verbatim` keeps Slack from making links of names and addresses. */
const preformatted = (lines: ReadonlyArray<string>): Text => {
  const text = lines.join("\n").replaceAll("`", "`" + ZERO_WIDTH_SPACE)
  return { type: "mrkdwn", text: `${FENCE}\n${escape(text, SECTION - 8)}\n${FENCE}`, verbatim: true }
}

const blocks = (
  headline: string,
  lines: ReadonlyArray<string>,
  command: string,
  footer: ReadonlyArray<string>
): ReadonlyArray<Block> => [
  { type: "header", text: { type: "plain_text", text: cut(headline, HEADER) } },
  ...(lines.length === 0 ? [] : [{ type: "section" as const, text: preformatted(lines) }]),
  { type: "section", text: preformatted([command]) },
  ...(footer.length === 0
    ? []
    : [{
      type: "context" as const,
      elements: [{ type: "plain_text" as const, text: cut(footer.join(" · "), SECTION) }]
    }])
]

const payload = (
  headline: string,
  lines: ReadonlyArray<string>,
  command: string,
  footer: ReadonlyArray<string>
): Payload => ({
  text: escape([headline, ...lines.slice(0, 1)].join(": "), FALLBACK),
  blocks: blocks(headline, lines, command, footer)
})

export const render = (message: Alert.Message): Payload => {
  if (message._tag === "Flood") {
    const { flood } = message
    return payload(Alert.floodHeadline(flood), Alert.floodLines(flood), flood.command, [])
  }
  const { notice } = message
  const history = Alert.history(notice)
  return payload(Alert.headline(notice), notice.lines, notice.command, [
    notice.severity,
    // The name of what belongs together, where there are no threads.
    notice.incident,
    ...(history === undefined ? [] : [history]),
    Alert.time(notice.at)
  ])
}
