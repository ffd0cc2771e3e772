/** `doctor`: every check of the project, each on a line; fails when one of them does. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ApplicationLoader } from "../Application.ts"
import { Failure } from "../Failure.ts"
import * as Print from "../render/Print.ts"
import * as Table from "../render/Table.ts"

export const doctor = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const { checks } = yield* (yield* ApplicationLoader).load
  const found = yield* Effect.forEach(
    checks,
    ({ name, run }) =>
      Effect.map(Effect.result(run), (result) =>
        Result.isSuccess(result)
          ? { check: name, ok: true, said: result.success, fix: "" }
          : { check: name, ok: false, said: result.failure.message, fix: result.failure.fix })
  )
  yield* input.json
    ? Print.json(found)
    : Print.lines(Table.render(
      ["", "check", "found"],
      found.map(({ check, fix, ok, said }) => [ok ? "ok" : "bad", check, fix === "" ? said : `${said}; fix: ${fix}`])
    ))
  const bad = found.filter(({ ok }) => !ok)
  if (bad.length > 0) {
    return yield* new Failure({
      exitCode: 3,
      message: `${bad.length} of ${found.length} checks failed`,
      fix: bad[0]!.fix
    })
  }
})
