import { execFile } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { afterAll, describe, expect, it } from "vitest"

const root = resolve(import.meta.dirname, "../..")
const house = mkdtempSync(join(tmpdir(), "barograph-lint-"))
copyFileSync(join(root, ".oxlintrc.json"), join(house, ".oxlintrc.json"))
symlinkSync(join(root, "node_modules"), join(house, "node_modules"))
afterAll(() => rmSync(house, { recursive: true, force: true }))

const lint = (file: string, source: string) =>
  new Promise<string>((done) => {
    const path = join(house, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, source)
    const node = join(root, "node_modules/.bin/oxlint")
    execFile(node, ["--deny-warnings", "--format", "unix", file], { cwd: house }, (_, stdout, stderr) => {
      rmSync(path)
      done(stdout + stderr)
    })
  })

const imports = (specifier: string) => `import * as M from "${specifier}"\nexport const m = M\n`

it("a cycle of imports is refused", async () => {
  const other = join(house, "src/runtime/run/B.ts")
  mkdirSync(dirname(other), { recursive: true })
  writeFileSync(other, `import { a } from "./A.ts"\nexport const b = (): unknown => a\n`)
  const said = await lint("src/runtime/run/A.ts", `import { b } from "./B.ts"\nexport const a = (): unknown => b\n`)
  rmSync(other)
  expect(said).toContain("no-cycle")
})

const refused: ReadonlyArray<readonly [file: string, source: string, rule: string]> = [
  ["src/runtime/run/A.ts", imports("../../layers/lake/ObjectStore.ts"), "no-restricted-imports"],
  ["src/runtime/run/A.ts", imports("../../assets/rawBars.ts"), "no-restricted-imports"],
  ["src/runtime/run/A.ts", imports("../../main.ts"), "no-restricted-imports"],
  ["src/runtime/run/A.ts", imports("effect/sql/SqlClient"), "no-restricted-imports"],
  ["src/runtime/store/A.ts", imports("../../layers/lake/ObjectStore.ts"), "no-restricted-imports"],
  ["src/runtime/plan/A.ts", imports("../store/RunStore.ts"), "no-restricted-imports"],
  ["src/runtime/partition/A.ts", imports("../run/Executor.ts"), "no-restricted-imports"],
  ["src/runtime/selection/A.ts", imports("../cli/Commands.ts"), "no-restricted-imports"],
  ["src/runtime/plan/A.ts", imports("@effect/platform-node/NodeServices"), "no-restricted-imports"],
  ["src/layers/lake/A.ts", imports("../../assets/rawBars.ts"), "no-restricted-imports"],
  ["src/layers/lake/A.ts", imports("@effect/sql-pg/PgClient"), "no-restricted-imports"],
  ["src/runtime/run/A.ts", imports("effect/Console"), "no-restricted-imports"],
  ["src/layers/lake/A.ts", imports("effect/Console"), "no-restricted-imports"],
  ["src/assets/A.ts", imports("../layers/lake/FileSystem.ts"), "no-restricted-imports"],
  ["src/assets/A.ts", imports("../layers/staging/Postgres.ts"), "no-restricted-imports"],
  ["src/layers/lake/A.ts", "console.log(1)\n", "no-console"],
  ["src/layers/lake/A.ts", "export const a = Date.now()\n", "no-restricted-properties"],
  ["src/layers/lake/A.ts", "export const a = Math.random()\n", "no-restricted-properties"],
  ["src/layers/lake/A.ts", "export const a = process.env\n", "no-restricted-properties"],
  ["src/layers/lake/A.ts", "setTimeout(() => {}, 1)\n", "no-restricted-globals"],
  ["src/layers/lake/A.ts", "export const a = (b: any) => b\n", "no-explicit-any"]
]

const allowed: ReadonlyArray<readonly [file: string, source: string]> = [
  ["src/main.ts", imports("./assets/rawBars.ts")],
  ["src/application.ts", imports("./layers/staging/Postgres.ts")],
  ["src/assets/A.ts", imports("../layers/lake/ObjectStore.ts")],
  ["src/assets/A.ts", imports("../runtime/asset/Asset.ts")],
  ["src/layers/lake/A.ts", imports("../../runtime/partition/Partitions.ts")],
  ["src/layers/staging/Postgres.ts", imports("effect/sql/SqlClient")],
  ["src/layers/database/A.ts", imports("@effect/sql-pg/PgClient")],
  ["src/runtime/store/A.ts", imports("effect/sql/SqlClient")],
  ["src/runtime/plan/A.ts", imports("../partition/Partitions.ts")],
  ["src/runtime/plan/A.ts", imports("../asset/Asset.ts")],
  ["src/runtime/cli/render/A.ts", "console.log(1)\n"]
]

describe("import direction and forbidden globals", () => {
  it.each(refused)("%s refuses %j", async (file, source, rule) => {
    expect(await lint(file, source)).toContain(rule)
  })
  it.each(allowed)("%s accepts %j", async (file, source) => {
    expect(await lint(file, source)).not.toMatch(/no-restricted|no-console|rror/)
  })
})
