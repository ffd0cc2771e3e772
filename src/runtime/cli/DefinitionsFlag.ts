/** The global flag `--definitions`, read before or after the subcommand. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

export const definitionsFlag = GlobalFlag.Setting("definitions")({
  flag: Flag.String("definitions").pipe(
    Flag.withMetavar("FILE.ts"),
    Flag.withDescription(
      "A graph of your own instead of the bundled one; also BAROGRAPH_DEFINITIONS, or package.json: " +
        "\"barograph\": { \"definitions\": … }"
    ),
    Flag.optional
  )
})

export type DefinitionsFlag = GlobalFlag.Setting.Identifier<"definitions">
