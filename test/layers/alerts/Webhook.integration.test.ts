import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Crypto from "node:crypto"
import * as Webhook from "../../../src/layers/alerts/Webhook.ts"
import type * as Alert from "../../../src/runtime/automation/Alert.ts"
import * as Incident from "../../../src/runtime/automation/Incident.ts"
import * as PostServer from "../../support/PostServer.ts"
import { finding } from "../../support/TestAlerts.ts"

const channelOf = (url: string, secret?: string) =>
  Effect.provide(
    Webhook.webhook({ url: Redacted.make(url), secret: secret === undefined ? undefined : Redacted.make(secret) }),
    FetchHttpClient.layer
  )

const notice = Incident.notice(Incident.apply(undefined, finding(), 0)!, undefined, "opened")
const one: Alert.Message = { _tag: "Notice", notice }
const many: Alert.Message = {
  _tag: "Flood",
  flood: { notices: [notice], more: 9, open: 10, resolved: 0, command: "barograph alert list" }
}

it.effect("a message is JSON with times and a headline, and signed with the secret over its time and its bytes", () =>
  Effect.gen(function*() {
    const { calls, origin } = yield* PostServer.serve(() => ({ status: 202, body: "" }))
    yield* TestClock.adjust("90 seconds")
    yield* (yield* channelOf(`${origin}/hook`, "s3cret")).send(one)
    const [{ body, headers }] = calls as [PostServer.Call]
    expect(JSON.parse(body)).toEqual({
      type: "alert",
      headline: "schedule weekly failed",
      kind: "run_failed",
      incident: "run/schedule/weekly",
      severity: "error",
      change: "opened",
      title: "schedule weekly failed",
      lines: ["raw_bars: no answer"],
      command: "barograph run show r0",
      count: 1,
      openedAt: "1970-01-01T00:00:00.000Z",
      at: "1970-01-01T00:00:00.000Z"
    })
    const digest = Crypto.createHmac("sha256", "s3cret").update(`90.${body}`).digest("hex")
    expect(headers["x-barograph-signature"]).toBe(`t=90,v1=${digest}`)
  }).pipe(Effect.scoped))

it.effect("without a secret nothing is signed, and a flood is one message", () =>
  Effect.gen(function*() {
    const { calls, origin } = yield* PostServer.serve(() => ({ body: "" }))
    yield* (yield* channelOf(origin)).send(many)
    expect(calls).toHaveLength(1)
    expect(calls[0]!.headers["x-barograph-signature"]).toBeUndefined()
    expect(JSON.parse(calls[0]!.body)).toMatchObject({
      type: "flood",
      headline: "10 alerts at once: 10 open",
      more: 9,
      notices: [{ headline: "schedule weekly failed" }]
    })
  }).pipe(Effect.scoped))

it.effect("what is answered is an outage, a setting, or a message that cannot be; the address is in none of it", () =>
  Effect.gen(function*() {
    let status = 0
    const { origin } = yield* PostServer.serve(({ path }) => ({ status, body: `no ${path}` }))
    const channel = yield* channelOf(`${origin}/hook-k3y`)
    const reasons: Array<string> = []
    for (status of [400, 401, 404, 413, 500, 503, 301]) {
      const error = yield* Effect.flip(channel.send(one))
      expect(`${error} ${JSON.stringify(error)}`).not.toContain("k3y")
      reasons.push(`${status} ${error.reason._tag}`)
    }
    expect(reasons).toEqual([
      "400 Refused",
      "401 Misconfigured",
      "404 Misconfigured",
      "413 Refused",
      "500 Unavailable",
      "503 Unavailable",
      "301 Misconfigured"
    ])
  }).pipe(Effect.scoped))
