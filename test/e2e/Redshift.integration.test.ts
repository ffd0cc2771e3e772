/** The program against a Redshift: the same graph, another setting. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"
import * as RedshiftStandIn from "../support/RedshiftStandIn.ts"
import * as S3Server from "../support/S3Server.ts"

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

it.live(
  "with a bucket, a plan says what is copied, COPY makes the same tables, and nothing is left in the bucket",
  () =>
    Effect.gen(function*() {
      const s3 = yield* S3Server.make()
      yield* Effect.gen(function*() {
        const { statements, url } = yield* RedshiftStandIn.StandIn
        const project = yield* Cli.project
        const target = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${url}`
        project.env["BAROGRAPH_WAREHOUSE"] = `${target}&copy=s3://lake/temporary?endpoint=${s3.url}`
        const place = `redshift-data workgroup analytics/dev in us-east-1 at ${url}, large loads through `
          + `s3://lake/temporary?endpoint=${s3.url}`
        const load = ["materialize", "--asset", "redshift_bars"]

        const planned = JSON.parse((yield* Cli.run(project, [...load, "--plan", "--json"])).stdout)
        expect(planned.forecasts).toEqual([
          expect.stringMatching(
            /^redshift_bars: \d+ loads? of up to \d+ sessions, each at most about \d+ rows by COPY from S3/
          )
        ])
        const made = yield* Cli.run(project, load)
        expect(made).toMatchObject({ code: 0 })
        expect(made.stdout).toContain(`redshift_bars is in ${place}`)
        expect(yield* Cli.query(project, "warehouse", counts)).toEqual(
          yield* Cli.query(project, "staging", counts.replace("count(*)", "count(*)::int4"))
        )
        const copies = [...statements.all.values()].filter(({ sqls }) => sqls.some((sql) => /^\s*copy/.test(sql)))
        expect(copies.length).toBeGreaterThan(0)
        expect([...s3.buckets.get("lake").objects.keys()]).toEqual([])

        expect((yield* Cli.run(project, [...load, "--plan", "--force"])).stdout).toMatch(/each about \d+ rows by COPY/)
        expect((yield* Cli.run(project, ["asset", "show", "redshift_bars"])).stdout).toContain(`location    ${place}`)
        const healthy = (yield* Cli.run(project, ["doctor"])).stdout
        expect(healthy).toContain(`${place} answers`)
        expect(healthy).toMatch(/^ok +copy +s3:\/\/lake\/\S+ can be written$/m)
        expect([...s3.buckets.get("lake").objects.keys()]).toEqual([])
        s3.buckets.all.delete("lake")
        const ill = yield* Cli.run(project, ["doctor"])
        expect(ill).toMatchObject({ code: 3 })
        expect(ill.stdout).toMatch(/^bad +copy .*correct its name in the copy= of BAROGRAPH_WAREHOUSE/m)
      }).pipe(Effect.provide(RedshiftStandIn.layer({ s3: { endpoint: s3.url } })))
    }).pipe(Effect.scoped),
  300_000
)

it.live("what only reads is asked, and what the server says against it is told", () =>
  Effect.gen(function*() {
    const { url } = yield* RedshiftStandIn.StandIn
    const project = yield* Cli.project
    project.env["BAROGRAPH_WAREHOUSE"] = `redshift-data://workgroup/analytics/dev?region=us-east-1&endpoint=${url}`
    const ask = (sql: string) => Cli.run(project, ["query", sql, "--store", "warehouse"])
    const dropped = yield* ask("drop table bars")
    expect(dropped).toMatchObject({ code: 2, stdout: "" })
    expect(dropped.stderr).toContain("fix: write one SELECT")
    expect((yield* ask("select 1 as n, 2 as n")).stdout).toMatch(/^n +n_2\n1 +2\n$/)
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
