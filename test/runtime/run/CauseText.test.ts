import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import { message } from "../../../src/runtime/run/CauseText.ts"

it("what is no error is said by its message and its fix, or by what it holds", () => {
  expect(message(Cause.fail(new Error("away")))).toBe("away")
  const failure = (message: string) => Object.assign(new Error(message), { fix: "knock again" })
  expect(message(Cause.fail(failure("away")))).toBe("away; fix: knock again")
  expect(message(Cause.fail(failure("away; fix: knock again")))).toBe("away; fix: knock again")
  expect(message(Cause.fail(Object.assign(new Error("away"), { fix: "" })))).toBe("away")
  expect(message(Cause.fail({ message: "There is no asset \"x\".", fix: "barograph asset list" }))).toBe(
    "There is no asset \"x\". Fix: barograph asset list"
  )
  expect(message(Cause.fail({ code: 7 }))).toBe("{\"code\":7}")
  expect(message(Cause.fail({ code: 7n }))).toBe("[object Object]")
  expect(message(Cause.die("boom"))).toBe("boom")
  expect(message(Cause.fail(undefined))).toBe("undefined")
})

it("what is secret in an address is not said", () => {
  const said = (text: string) => message(Cause.fail(new Error(text)))
  expect(said("connect postgres://etl:s3cr:et@db.example:5432/bars failed, as did redis://:s3cret@cache"))
    .toBe("connect postgres://etl:***@db.example:5432/bars failed, as did redis://:***@cache")
  expect(said("StatusCode error (403 GET https://me:s3cret@a.example/q?symbol=IBM&apikey=s3cret)"))
    .toBe("StatusCode error (403 GET https://me:***@a.example/q?symbol=IBM&apikey=***)")
  const names = ["api_key", "apiKey", "access_token", "TOKEN", "api_token", "client_secret", "Signature", "sig"]
  for (const name of [...names, "password", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"]) {
    expect(said(`GET "https://a.example/?${name}=s3cr%2Fet#top"`)).toBe(`GET "https://a.example/?${name}=***#top"`)
    expect(said(`https://a.example/?a=1&amp;${name}=s3cret&amp;b=2`))
      .toBe(`https://a.example/?a=1&amp;${name}=***&amp;b=2`)
  }
  const open =
    "postgres://etl@db/bars http://127.0.0.1:4180/a@b?design=1&assign=2&tokens=3 s3://lake/key=1 token=7 a:b@c"
  expect(said(open)).toBe(open)
  expect(message(Cause.fail({ url: "https://me:s3cret@a.example" }))).toBe("{\"url\":\"https://me:***@a.example\"}")
})

it("a long text is cleaned quickly", () => {
  for (const piece of ["a", "://a:", "?a", "https://a:b/"]) {
    const text = piece.repeat(200_000)
    expect(message(Cause.die(text))).toBe(text)
  }
})
