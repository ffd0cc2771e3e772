/** The program against a Redshift: the same graph, another setting. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"
import { temporaryDirectory } from "../support/EmbeddedDatabase.ts"
import * as RedshiftLocal from "../support/RedshiftLocal.ts"
import * as RedshiftStandIn from "../support/RedshiftStandIn.ts"

const counts = "select symbol, count(*) as bars, sum(volume) as volume from bars group by 1 order by 1"

it.live("bars reach Redshift through the Data API, and a rerun sends nothing", () =>
  Effect.gen(function*() {
    const { requests, url } = yield* RedshiftStandIn.StandIn
    const project = yield* Cli.project
    project.env["BAROGRAPH_WAREHOUSE"] = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${url}`

    const made = yield* Cli.run(project, ["materialize", "--asset", "redshift_bars"])
    expect(made).toMatchObject({ code: 0 })
    const staged = yield* Cli.query(project, "staging", counts.replace("count(*)", "count(*)::int4"))
    expect(staged.length).toBeGreaterThan(0)
    expect(yield* Cli.query(project, "warehouse", counts)).toEqual(staged)

    const from = requests.length
    const again = yield* Cli.run(project, ["materialize", "--asset", "redshift_bars"])
    expect(again.stdout + again.stderr).toContain("Nothing to do")
    expect(requests.slice(from).filter((action) => action === "BatchExecuteStatement")).toHaveLength(1)
  }).pipe(Effect.provide(RedshiftStandIn.layer()), Effect.scoped), 300_000)

it.live("local-cloud's Redshift keeps its tables over a restart", () =>
  Effect.gen(function*() {
    const project = yield* Cli.project
    const directory = yield* temporaryDirectory
    const started = Effect.acquireRelease(
      Effect.promise(() => RedshiftLocal.start({ directory, host: "127.0.0.1", port: 0 })),
      ({ close }) => Effect.promise(close)
    )
    const within = <A, E, R>(body: Effect.Effect<A, E, R>) =>
      Effect.scoped(Effect.flatMap(started, ({ settings }) => {
        Object.assign(project.env, settings)
        return body
      }))
    const count = Cli.query(project, "warehouse", "select count(*) as n from bars where symbol = 'IBM'")
    const load = Cli.run(project, ["materialize", "--asset", "redshift_bars", "--partition", "symbol=IBM"])
    const first = yield* within(Effect.andThen(load, count))
    expect(first).not.toEqual([{ n: 0 }])
    expect(yield* within(count)).toEqual(first)
    delete project.env["BAROGRAPH_WAREHOUSE"]
  }).pipe(Effect.scoped), 300_000)

it.live("what only reads is asked, and what the server says against it is told", () =>
  Effect.gen(function*() {
    const { url } = yield* RedshiftStandIn.StandIn
    const project = yield* Cli.project
    project.env["BAROGRAPH_WAREHOUSE"] = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${url}`
    const ask = (sql: string) => Cli.run(project, ["query", sql, "--store", "warehouse"])
    expect(yield* ask("drop table bars")).toMatchObject({ code: 2, stdout: "" })
    expect((yield* ask("select 1 into x")).stderr).toContain("only a statement that reads")
    expect((yield* ask("select * from nowhere")).stderr).toContain("\"nowhere\" does not exist")
    expect((yield* ask("select ')into(' as word, 1.5 as n, null as nothing")).stdout).toContain(")into(")
  }).pipe(Effect.provide(RedshiftStandIn.layer()), Effect.scoped), 300_000)

it.live("a URL that cannot be used is a configuration error with the right form", () =>
  Effect.gen(function*() {
    const project = yield* Cli.project
    project.env["BAROGRAPH_WAREHOUSE"] = "redshift-data://analytics/dev"
    const { code, stderr } = yield* Cli.run(project, ["doctor"])
    expect(code).toBe(3)
    expect(stderr).toContain("redshift-data://workgroup/analytics/dev?region=eu-central-1")
    delete project.env["BAROGRAPH_WAREHOUSE"]
  }).pipe(Effect.scoped), 60_000)
