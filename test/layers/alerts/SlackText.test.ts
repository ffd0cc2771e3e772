import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SlackText from "../../../src/layers/alerts/SlackText.ts"
import * as Alert from "../../../src/runtime/automation/Alert.ts"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import * as SlackServer from "../../support/SlackServer.ts"
import { finding } from "../../support/TestAlerts.ts"

/** Texts such as errors are: long, with what Slack would take for its own. */
const Odd = Schema.Array(Schema.Union([
  Schema.Literals(["<!channel>", "&amp;", "```", "`", "<https://x.y|z>", "@here", "\n", "😀", "\ud83d", "*a* _b_ ~c~"]),
  Schema.String
])).check(Schema.isMaxLength(40))

const noticeOf = (title: string, lines: ReadonlyArray<string>): Alert.Notice =>
  Incident.notice(Incident.apply(undefined, finding({ title, lines }), 0)!, undefined, "opened")

it.effect.prop(
  "whatever is said, Slack takes it, and nobody is called",
  [Odd, Odd, Schema.Int],
  ([title, lines, n]) =>
    Effect.sync(() => {
      const times = Math.abs(n) % 300
      const notice = noticeOf(`x${title.join("")}`, lines.map((line) => `${line} `.repeat(times)))
      const notices = Array.from({ length: 10 }, () => notice)
      const messages: ReadonlyArray<Alert.Message> = [
        { _tag: "Notice", notice },
        { _tag: "Flood", flood: { notices, more: times, open: times, resolved: 0, command: "barograph alert list" } }
      ]
      for (const message of messages) {
        const payload = SlackText.render(message)
        expect(SlackServer.refusal(payload)).toBeUndefined()
        expect(SlackServer.calls(payload)).toEqual([])
        expect(JSON.stringify(payload).isWellFormed()).toBe(true)
      }
    })
)

it.effect.prop(
  "escaped text is what it was, up to where it is cut",
  [Schema.String, Schema.Int],
  ([text, n]) =>
    Effect.sync(() => {
      const limit = 10 + Math.abs(n) % 50
      const own = text.toWellFormed()
      const escaped = SlackText.escape(own, limit)
      expect(escaped.length).toBeLessThanOrEqual(limit)
      const back = escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
      expect(back === own || (back.endsWith("…") && own.startsWith(back.slice(0, -1)))).toBe(true)
    })
)

it("a fence in an error does not end the preformatted text", () => {
  const [, section] = SlackText.render({ _tag: "Notice", notice: noticeOf("t", ["a ``` <b> ```"]) }).blocks
  expect(section).toMatchObject({ text: { type: "mrkdwn", verbatim: true } })
  expect(section?.type === "section" && section.text.text.match(/```/g)).toHaveLength(2)
})

it("a message says how often and since when, and which incident it belongs to", () => {
  const notice = {
    ...noticeOf("weekly failed", []),
    count: 3,
    openedAt: Date.UTC(2024, 0, 1),
    at: Date.UTC(2024, 0, 2)
  }
  const footer = (change: Alert.Notice["change"]) =>
    SlackText.render({ _tag: "Notice", notice: { ...notice, change } }).blocks.at(-1)
  expect(footer("continues")).toMatchObject({
    elements: [{ text: "error · run/schedule/weekly · 3 times since 2024-01-01 00:00Z · 2024-01-02 00:00Z" }]
  })
  expect(footer("resolved")).toMatchObject({
    elements: [{ text: expect.stringContaining("after 3 failures since 2024-01-01 00:00Z") }]
  })
})
