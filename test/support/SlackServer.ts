/**
 * Slack as far as messages go: an incoming webhook and `chat.postMessage` on a real socket. Refuses what Slack refuses, in
 * Slack's words: see https://docs.slack.dev/reference/block-kit/blocks and
 * https://docs.slack.dev/reference/methods/chat.postMessage
 */
import * as Effect from "effect/Effect"
import * as PostServer from "./PostServer.ts"

export const TOKEN = "xoxb-1-SECRET"
export const CHANNEL = "C0ALERTS"
export const SECRET_PATH = "/services/T000/B000/SECRETWEBHOOK"

export interface Message {
  readonly ts: string
  readonly text: string
  readonly blocks: ReadonlyArray<Block>
  readonly thread: string | undefined
  readonly broadcast: boolean
}

interface Text {
  readonly type: string
  readonly text: string
}

interface Block {
  readonly type: string
  readonly text?: Text
  readonly elements?: ReadonlyArray<Text>
}

const within = (text: Text | undefined, types: ReadonlyArray<string>, most: number): boolean =>
  text !== undefined && types.includes(text.type) && typeof text.text === "string" && text.text.length > 0 &&
  text.text.length <= most

const isValid = ({ elements, text, type }: Block): boolean => {
  if (type === "header") return within(text, ["plain_text"], 150)
  if (type === "section") return within(text, ["plain_text", "mrkdwn"], 3000)
  if (type !== "context" || elements === undefined || elements.length < 1 || elements.length > 10) return false
  return elements.every((one) => within(one, ["plain_text", "mrkdwn"], 3000))
}

const textsOf = (blocks: ReadonlyArray<Block>): ReadonlyArray<Text> =>
  blocks.flatMap(({ elements, text }) => [...(text === undefined ? [] : [text]), ...(elements ?? [])])

/** What Slack would not have in a message; undefined when it takes it. */
export const refusal = (
  { blocks, text }: { readonly blocks?: unknown; readonly text?: unknown }
): string | undefined => {
  if ((typeof text !== "string" || text === "") && blocks === undefined) return "no_text"
  if (typeof text === "string" && text.length > 40_000) return "msg_too_long"
  if (blocks === undefined) return undefined
  if (!Array.isArray(blocks) || blocks.length > 50 || !(blocks as Array<Block>).every(isValid)) return "invalid_blocks"
  const all = textsOf(blocks as Array<Block>)
  return all.reduce((sum, one) => sum + one.text.length, 0) > 13_000 ? "msg_blocks_too_long" : undefined
}

/** Whom a text would call, and what would become a link: what stands between < and > outside of plain text. */
export const calls = ({ blocks, text }: { readonly blocks: ReadonlyArray<Block>; readonly text: string }) =>
  [text, ...textsOf(blocks).filter(({ type }) => type === "mrkdwn").map((one) => one.text)]
    .flatMap((one) => one.match(/<[^>]*>?/g) ?? [])

export interface Slack {
  readonly webhook: string
  readonly api: string
  /** What arrived. */
  readonly messages: ReadonlyArray<Message>
  readonly server: PostServer.Served
  /** What is answered instead, call by call; then Slack is itself again. */
  readonly faults: Array<PostServer.Reply>
  /** All threads are gone. */
  readonly forget: () => void
}

const json = (body: unknown): PostServer.Reply => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" }
})

export const serve = Effect.suspend(() => {
  const messages: Array<Message> = []
  const faults: Array<PostServer.Reply> = []
  let threads = new Set<string>()

  const take = (payload: Record<string, unknown>): string => {
    const ts = `1700000000.${String(messages.length).padStart(6, "0")}`
    threads.add(ts)
    messages.push({
      ts,
      text: payload["text"] as string,
      blocks: payload["blocks"] as ReadonlyArray<Block>,
      thread: payload["thread_ts"] as string | undefined,
      broadcast: payload["reply_broadcast"] === true
    })
    return ts
  }

  const webhook = ({ body }: PostServer.Call): PostServer.Reply => {
    const payload = JSON.parse(body) as Record<string, unknown>
    const refused = refusal(payload)
    if (refused !== undefined) return { status: 400, body: refused }
    take(payload)
    return { body: "ok" }
  }

  const postMessage = ({ body, headers }: PostServer.Call): PostServer.Reply => {
    if (headers.authorization !== `Bearer ${TOKEN}`) return json({ ok: false, error: "invalid_auth" })
    const payload = JSON.parse(body) as Record<string, unknown>
    if (payload["channel"] !== CHANNEL) return json({ ok: false, error: "channel_not_found" })
    const thread = payload["thread_ts"]
    if (thread !== undefined && !threads.has(thread as string)) return json({ ok: false, error: "thread_not_found" })
    const error = refusal(payload)
    return json(error === undefined ? { ok: true, channel: CHANNEL, ts: take(payload) } : { ok: false, error })
  }

  const handler = (call: PostServer.Call): PostServer.Reply => {
    const fault = faults.shift()
    if (fault !== undefined) return fault
    if (!call.headers["content-type"]?.startsWith("application/json")) return { status: 400, body: "invalid_payload" }
    if (call.path === SECRET_PATH) return webhook(call)
    return call.path === "/api/chat.postMessage" ? postMessage(call) : { status: 404, body: "no_service" }
  }

  return Effect.map(PostServer.serve(handler), (server): Slack => ({
    webhook: `${server.origin}${SECRET_PATH}`,
    api: `${server.origin}/api`,
    messages,
    server,
    faults,
    forget: () => void (threads = new Set())
  }))
})
