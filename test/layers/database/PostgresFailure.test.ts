import { expect, it } from "@effect/vitest"
import { ConnectionError, SqlError, UnknownError } from "effect/sql/SqlError"
import * as PostgresFailure from "../../../src/layers/database/PostgresFailure.ts"

const server = (code: string) =>
  new SqlError({ reason: new UnknownError({ cause: Object.assign(new Error("the server's words"), { code }) }) })

it("the server's own words are said, not the driver's", () => {
  expect(PostgresFailure.make(server("22021")).text).toBe("the server's words")
})

it("conflicts, lost connections and a server that is full or stopping are worth another try", () => {
  for (const code of ["40001", "40P01", "53300", "57P01", "57P03", "08006", "55P03"]) {
    expect(PostgresFailure.make(server(code)).retryable).toBe(true)
  }
  const lost = new SqlError({ reason: new ConnectionError({ cause: new Error("gone"), message: "gone" }) })
  expect(PostgresFailure.make(lost).retryable).toBe(true)
})

it("what the server refuses for good is not", () => {
  for (const code of ["23505", "42P01", "42501", "22021", "57014"]) {
    expect(PostgresFailure.make(server(code)).retryable).toBe(false)
  }
})
