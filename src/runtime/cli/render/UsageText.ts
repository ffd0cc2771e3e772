/** Help is what it is; a usage error is short, on stderr, and says where the help is. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"
import * as Print from "./Print.ts"

export const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    return Effect.andThen(
      Effect.forEach(event.errors, (error) => Print.talk(`error: ${error.message}`), { discard: true }),
      Print.talk(`  fix: ${event.commandPath.join(" ")} --help`)
    )
  }
}
