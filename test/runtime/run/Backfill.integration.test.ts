import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as SqlClient from "effect/sql/SqlClient"
import * as Path from "node:path"
import * as Database from "../../../src/layers/database/Database.ts"
import * as Cli from "../../support/Cli.ts"

/** Partitions of `numbers`. */
const ALL = 2000
/** Partitions of `stuck` and of `flaky`. */
const FEW = 300
/** Calls at a time: what a kill can catch in the middle. */
const CONCURRENCY = 4

const fixture = Cli.projectOf(Path.join(import.meta.dirname, "fixture", "backfills.ts"))

/** A project of the fixture, and a connection of the test to its database. */
const inProject = <A, E>(use: (of: Cli.Project) => Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.scoped(Effect.gen(function*() {
    const of = yield* fixture
    const home = Path.join(of.directory, ".barograph")
    return yield* use(of).pipe(Effect.provide(Database.layer({ home, url: undefined })))
  }))

const backfill = (of: Cli.Project, ...args: ReadonlyArray<string>) => Cli.run(of, ["backfill", ...args])
const shown = (of: Cli.Project) =>
  Effect.map(backfill(of, "show", "latest", "--json"), ({ stdout }) => JSON.parse(stdout))

interface Row {
  readonly [column: string]: unknown
}

const rows = (statement: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Row>(statement))

const one = (statement: string) => Effect.map(rows(statement), ([row]) => Number(Object.values(row!)[0]))

/** Looks until the number is there; the statement may name tables that are not there yet. */
const until = (statement: string, least: number) =>
  one(statement).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.repeat({ until: (found) => found >= least, schedule: Schedule.spaced("25 millis") })
  )

const kill = (started: Cli.Started) =>
  Effect.promise(() => {
    started.child.kill("SIGKILL")
    return started.ended
  })

const HISTORY = "select count(*) from barograph.materializations"

/** How often partitions of the asset were materialized, and how many were so. */
const history = (asset: string) =>
  rows(`select times::int, count(*)::int as partitions from (
    select count(*) as times from barograph.materializations where asset = '${asset}' group by partition
  ) as each group by 1 order by 1`)

it.live(
  "killed again and again and resumed, every partition is materialized exactly once",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        let started = Cli.start(of, ["backfill", "start", "--asset", "numbers", "--slice", "300"])
        for (const enough of [200, 900, 1300]) {
          yield* until(HISTORY, enough)
          yield* kill(started)
          const { backfill: stands, slices } = yield* shown(of)
          expect(stands.status).toBe("running")
          expect(slices.some(({ status }: Row) => status === "running")).toBe(false)
          started = Cli.start(of, ["backfill", "resume", "latest"])
        }
        expect(yield* Effect.promise(() => started.ended)).toMatchObject({ code: 0 })
        expect(yield* history("numbers")).toEqual([{ times: 1, partitions: ALL }])
        const again = yield* one("select count(*) - count(distinct partition) from calls")
        expect(again).toBeLessThanOrEqual(3 * CONCURRENCY)
        expect((yield* shown(of)).backfill).toMatchObject({ status: "succeeded", done: ALL, failed: 0 })
        expect(yield* rows("select run_id from barograph.runs where status = 'running'")).toEqual([])
      })
    ),
  600_000
)

it.live(
  "killed while it materializes what is up to date by force, nothing is forced twice",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        const some = ["--asset", "numbers", "--partition", "n=0..399", "--slice", "150"]
        expect(yield* backfill(of, "start", ...some)).toMatchObject({ code: 0 })
        const forced = Cli.start(of, ["backfill", "start", ...some, "--force"])
        yield* until(HISTORY, 600)
        yield* kill(forced)
        expect(yield* backfill(of, "resume", "latest")).toMatchObject({ code: 0 })
        expect(yield* history("numbers")).toEqual([{ times: 2, partitions: 400 }])
        expect((yield* backfill(of, "start", ...some)).stdout).toContain("Nothing to do")
      })
    ),
  600_000
)

it.live(
  "what one of two processes leaves behind, killed, the other takes up without being asked",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        yield* backfill(of, "start", "--asset", "numbers", "--partition", "n=0..799", "--slice", "100", "--detach")
        const resume = ["backfill", "resume", "latest"]
        const [first, second] = [Cli.start(of, resume), Cli.start(of, resume)]
        yield* until("select count(distinct pid) from calls where asset = 'numbers'", 2)
        yield* kill(first)
        expect(yield* Effect.promise(() => second.ended)).toMatchObject({ code: 0 })
        expect(yield* history("numbers")).toEqual([{ times: 1, partitions: 800 }])
      })
    ),
  600_000
)

it.live(
  "two processes share a backfill and do no step twice",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        const stored = yield* backfill(
          of,
          "start",
          "--select",
          "raw,bars,report",
          "--slice",
          "20",
          "--detach",
          "--json"
        )
        expect(JSON.parse(stored.stdout)).toMatchObject({ backfill: { status: "requested", partitions: 276 } })
        const resume = ["backfill", "resume", "latest"]
        const both = yield* Effect.all([Cli.run(of, resume), Cli.run(of, resume)], { concurrency: 2 })
        expect(both.map(({ code }) => code)).toEqual([0, 0])
        expect(yield* rows("select asset, count(*)::int as calls from calls group by 1 order by 1")).toEqual([
          { asset: "bars", calls: 252 },
          { asset: "raw", calls: 12 },
          { asset: "report", calls: 12 }
        ])
        expect(yield* rows("select asset, partition from calls group by 1, 2 having count(*) > 1")).toEqual([])
        expect(yield* one("select count(distinct pid) from calls")).toBe(2)
      })
    ),
  600_000
)

it.live(
  "slices that need the same partition upstream make it once, whichever process they are in",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        yield* backfill(of, "start", "--asset", "report,bars", "--slice", "5", "--detach")
        const resume = Cli.run(of, ["backfill", "resume", "latest"])
        const both = yield* Effect.all([resume, resume, resume], { concurrency: 3 })
        expect(both.map(({ code }) => code)).toEqual([0, 0, 0])
        expect(yield* history("raw")).toEqual([{ times: 1, partitions: 12 }])
        expect(yield* history("bars")).toEqual([{ times: 1, partitions: 252 }])
        expect(yield* rows("select asset, partition from calls group by 1, 2 having count(*) > 1")).toEqual([])
      })
    ),
  600_000
)

it.live(
  "canceled from another process, its run stops, its slices are left, and nothing claims them",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        const started = Cli.start(of, ["backfill", "start", "--asset", "stuck", "--slice", "100"])
        yield* until("select count(*) from barograph.materializations where asset = 'stuck'", 99)
        const running = yield* shown(of)
        expect(running.slices[0]).toMatchObject({ status: "running", done: 99 })
        expect(running.backfill).toMatchObject({ status: "running", done: 99, partitions: FEW })
        expect(yield* backfill(of, "cancel", "latest")).toMatchObject({ code: 0 })
        const ended = yield* Effect.promise(() => started.ended)
        expect(ended).toMatchObject({ code: 1 })
        expect(ended.stderr).toContain("the backfill was canceled; what it finished is kept")
        expect(yield* rows("select status from barograph.runs")).toEqual([{ status: "canceled" }])
        const { backfill: stands, slices } = yield* shown(of)
        expect(stands.status).toBe("canceled")
        expect(new Set(slices.map(({ status }: Row) => status))).toEqual(new Set(["pending"]))
        expect(yield* one(HISTORY)).toBe(99)
        expect(yield* backfill(of, "cancel", "latest")).toMatchObject({ code: 2 })
      })
    ),
  600_000
)

it.live(
  "failures are grouped by asset and message, and resume takes up what failed",
  () =>
    inProject((of) =>
      Effect.gen(function*() {
        const first = yield* backfill(of, "start", "--asset", "flaky", "--json")
        expect(first.code).toBe(4)
        expect(JSON.parse(first.stdout)).toMatchObject({
          backfill: { status: "failed", partitions: FEW, done: FEW - 15, failed: 15 },
          failures: [{ asset: "flaky", error: "the source is away", count: 15 }]
        })
        const { stdout } = yield* backfill(of, "show", "latest")
        expect(stdout).toContain(
          "failed: flaky, 15 partitions: the source is away (n=0; n=20; n=40; …)"
        )
        of.env["MENDED"] = "yes"
        const second = yield* backfill(of, "resume", "latest")
        expect(second.code).toBe(0)
        expect(second.stdout).toContain("succeeded: 300 of 300 partitions (100 %)")
        expect(yield* history("flaky")).toEqual([{ times: 1, partitions: FEW }])
      })
    ),
  600_000
)
