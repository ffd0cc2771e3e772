/** The field `barograph` of a package.json: what a project says once instead of with every command. */
import * as NodeFs from "node:fs"
import * as Path from "node:path"

/** The field as it was written; undefined when there is none, or no file that can be read. No effect: also the launcher asks. */
export const read = (directory: string): unknown => {
  try {
    const manifest: unknown = JSON.parse(NodeFs.readFileSync(Path.join(directory, "package.json"), "utf8"))
    return typeof manifest === "object" && manifest !== null && "barograph" in manifest ? manifest.barograph : undefined
  } catch {
    return undefined
  }
}
