import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeFs from "node:fs/promises"
import * as Path from "node:path"
import * as Cli from "../support/Cli.ts"
import { temporaryDirectory } from "../support/EmbeddedDatabase.ts"

const DEFINITIONS = `import * as Asset from "barograph/Asset"
import * as AssetGraph from "barograph/AssetGraph"
import * as Definitions from "barograph/Definitions"
import * as Partitions from "barograph/Partitions"
import * as Schedule from "barograph/Schedule"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

class Till extends Context.Service<Till, { readonly take: (shop: string) => Effect.Effect<number> }>()("Till") {}
const till = Layer.effect(
  Till,
  process.env["TILL"] === "broken"
    ? Effect.die("the till is locked: redis://:s3cret@till")
    : Effect.succeed({ take: (shop: string) => Effect.succeed(shop.length) })
)
const takings = Asset.make(
  "takings",
  { partitions: { shop: Partitions.dynamic("shops") }, output: Schema.Struct({ rows: Schema.Finite }) },
  ({ partition }) => Effect.flatMap(Till, (till) => Effect.map(till.take(partition.shop), (rows) => ({ rows })))
)
export default Definitions.make({
  graph: AssetGraph.make(takings),
  layer: till,
  automations: [Schedule.make("nightly", { cron: "@daily", zone: "UTC", request: { assets: ["takings"] } })],
  members: { shops: ["north", "south"] },
  notices: ["shops of the test"],
  concurrency: 2
})
`

const ok = Effect.fnUntraced(function*(of: Cli.Project, ...args: ReadonlyArray<string>) {
  const ended = yield* Cli.run(of, args)
  expect({ args, code: ended.code, stderr: ended.stderr }).toMatchObject({ args, code: 0 })
  return ended
})

const json = (of: Cli.Project, ...args: ReadonlyArray<string>) =>
  Effect.map(ok(of, ...args, "--json"), ({ stdout }): unknown => JSON.parse(stdout))

it.live("a graph of one's own runs on the engine's stores like the bundled one", () =>
  Effect.gen(function*() {
    const of = yield* Cli.project
    yield* Effect.promise(() => NodeFs.writeFile(Path.join(of.directory, "own.ts"), DEFINITIONS))
    expect(yield* json(of, "check", "--definitions", "own.ts"))
      .toEqual({ origin: "own.ts", assets: 1, edges: 0, problems: [] })
    const first = yield* ok(of, "--definitions=own.ts", "materialize", "--asset", "takings", "--json")
    expect(JSON.parse(first.stdout)).toMatchObject({
      status: "succeeded",
      assets: { takings: { materialized: 2, sums: { rows: 10 } } }
    })
    expect(first.stderr).toContain("shops of the test")
    of.env["BAROGRAPH_DEFINITIONS"] = "own.ts"
    expect(yield* json(of, "materialize", "--asset", "takings")).toMatchObject({ runId: null })
    expect(yield* json(of, "asset", "list")).toMatchObject([{ name: "takings", materialized: 2, total: 2 }])
    expect(yield* Cli.query(of, "staging", "select value from dynamic_partitions order by 1"))
      .toEqual([{ value: "north" }, { value: "south" }])
    expect(yield* json(of, "doctor")).toMatchObject([{ check: "database", ok: true }, { check: "layer", ok: true }])

    yield* ok(of, "schedule", "pause", "nightly")
    of.env["TILL"] = "broken"
    const broken = yield* Cli.run(of, ["materialize", "--asset", "takings", "--force"])
    expect(broken).toMatchObject({ code: 3, stdout: "" })
    expect(broken.stderr).toContain(
      "error: the layer of own.ts failed: the till is locked: redis://:***@till\n  fix: see "
    )

    yield* Effect.promise(() => NodeFs.writeFile(Path.join(of.directory, "own.ts"), "export default ("))
    expect(yield* Cli.run(of, ["asset", "list"])).toMatchObject({ code: 3 })
    expect(yield* json(of, "run", "list")).toMatchObject([{ runId: JSON.parse(first.stdout).runId }])
    expect(yield* Cli.run(of, ["daemon", "status"])).toMatchObject({ code: 1 })
    expect(yield* json(of, "alert", "list")).toMatchObject({ incidents: [], channels: [{ channel: "console" }] })
    const told = yield* ok(of, "schedule", "list")
    expect(told.stderr).toContain("the definitions cannot be read, this is what is remembered: own.ts does not parse")
    expect(told.stdout).toMatch(/^nightly +- +paused/m)
  }), 180_000)

it.live("check says as JSON what is wrong, needs no database, and exits with 3", () =>
  Effect.gen(function*() {
    const of: Cli.Project = { directory: yield* temporaryDirectory, env: {}, main: Cli.MAIN }
    of.env["DATABASE_URL"] = "postgres://nobody@127.0.0.1:9/nothing"
    yield* Effect.promise(() =>
      NodeFs.writeFile(Path.join(of.directory, "package.json"), `{"barograph":{"definitions":"own.ts"}}`)
    )
    const missing = yield* Cli.run(of, ["check", "--json"])
    expect(missing.code).toBe(3)
    expect(JSON.parse(missing.stdout)).toMatchObject({
      problems: [expect.stringContaining("There is no definitions file")]
    })
    const twins = DEFINITIONS.replace("make(takings)", "make(takings, Asset.make(\"takings\", {}, () => Effect.void))")
    yield* Effect.promise(() => NodeFs.writeFile(Path.join(of.directory, "own.ts"), twins))
    const refused = yield* Cli.run(of, ["check"])
    expect(refused).toMatchObject({ code: 3, stdout: "" })
    expect(refused.stderr).toMatch(
      /^error: Two assets are named "takings": rename one of them\.\n  fix: see .*own\.ts:24\n$/
    )
    delete of.env["DATABASE_URL"]
    yield* Effect.promise(() => NodeFs.rm(Path.join(of.directory, "package.json")))
    expect((yield* ok(of, "check")).stdout).toBe("the bundled graph: 9 assets, 9 edges, no problems\n")
  }), 180_000)
