import { expect, it } from "@effect/vitest"
import * as Address from "../../../src/runtime/api/Address.ts"

it("a port alone listens on loopback", () => {
  expect(Address.parse("4180")).toEqual({ host: "127.0.0.1", port: 4180 })
  expect(Address.parse(":4180")).toEqual({ host: "127.0.0.1", port: 4180 })
})

it("a host is taken as it is written, IPv6 in brackets", () => {
  expect(Address.parse("0.0.0.0:80")).toEqual({ host: "0.0.0.0", port: 80 })
  expect(Address.parse("daemon.internal:80")).toEqual({ host: "daemon.internal", port: 80 })
  expect(Address.toText(Address.parse("[::1]:80")!)).toBe("[::1]:80")
})

it("what is no address is none", () => {
  for (const text of ["", "localhost", "::1:80", "127.0.0.1:", "127.0.0.1:99999", "a b:80"]) {
    expect(Address.parse(text), text).toBeUndefined()
  }
})
