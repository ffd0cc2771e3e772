import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cli from "../support/Cli.ts"

/** The daemon as a process, once it says where it listens. */
const daemon = (of: Cli.Project, ...more: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const args = ["daemon", "--listen", "127.0.0.1:0", "--log-format", "json", "--lease", "2 seconds", ...more]
    const started = Cli.start(of, args)
    const address = await new Promise<string>((resolve, reject) => {
      let said = ""
      started.child.stderr!.on("data", (chunk) => {
        said += chunk
        const found = /listens on (http:\/\/[\d.:]+\d)/.exec(said)
        if (found !== null) resolve(found[1]!)
      })
      started.child.on("close", () => reject(new Error(said)))
    })
    return { ...started, address }
  })

const get = (url: string) => Effect.promise(async () => (await fetch(url)).text())

const untilLeads = (address: string) =>
  Effect.repeat(get(`${address}/ready`), { until: (text) => text.includes("\"role\":\"leads\"") })

it.live("what a daemon counts is there at zero before it happens: a series that appears has not increased", () =>
  Effect.scoped(Effect.gen(function*() {
    const { address, child, ended } = yield* daemon(yield* Cli.project)
    const lines = (yield* get(`${address}/metrics`)).split("\n")
    for (const status of ["succeeded", "failed", "interrupted", "canceled"]) {
      expect(lines).toContain(`barograph_runs_ended_total{status="${status}"} 0`)
    }
    for (const outcome of ["materialized", "skipped", "failed", "blocked"]) {
      expect(lines).toContain(`barograph_partitions_total{asset="redshift_bars",outcome="${outcome}"} 0`)
    }
    for (const name of ["rows", "rejected_rows", "bytes", "step_retries"]) {
      expect(lines).toContain(`barograph_${name}_total{asset="staged_bars"} 0`)
    }
    expect(lines).toContain("barograph_ticks_total{automation=\"schedule/weekly\",outcome=\"failed\"} 0")
    expect(lines).toContain("barograph_run_duration_seconds_count 0")
    expect(lines).toContain("barograph_run_wait_seconds_count 0")
    child.kill("SIGTERM")
    yield* Effect.promise(() => ended)
  })))

it.live("a daemon of the bundled graph answers over HTTP, and what it loaded is in the audit", () =>
  Effect.scoped(Effect.gen(function*() {
    const of = yield* Cli.project
    const { address, child, ended } = yield* daemon(of)
    yield* untilLeads(address)
    expect(JSON.parse(yield* get(`${address}/health`))).toEqual({ status: "ok" })
    const loaded = yield* Cli.run(of, ["materialize", "--asset", "bars_parquet", "-p", "symbol=IBM,session=2013-10-04"])
    expect(loaded.code, loaded.stderr).toBe(0)
    const told = JSON.parse((yield* Cli.run(of, ["daemon", "status", "--json"])).stdout)
    const answered = JSON.parse(yield* get(`${address}/status`))
    expect({ ...answered, now: "", leader: { ...answered.leader, expiresAt: "" } }).toEqual(
      { ...told, now: "", leader: { ...told.leader, expiresAt: "" } }
    )
    expect(yield* get(`${address}/metrics`)).toMatch(/^barograph_leader 1$/m)

    const audit = yield* Cli.query(of, "staging", "select * from audit order by materialization_id")
    expect(audit.map(({ asset }) => asset)).toEqual(["raw_bars", "staged_bars", "bars_parquet"])
    const [raw, staged, parquet] = audit
    expect(raw).toMatchObject({
      rows_in: null,
      rows: null,
      bytes: expect.any(Number),
      automation: null,
      failed_check: null
    })
    expect(staged).toMatchObject({
      rows_in: staged!["rows"],
      inserted: staged!["rows"],
      skipped: 0,
      rejected: 0,
      bytes: null
    })
    expect(parquet).toMatchObject({ rows: staged!["rows"], partition: "symbol=IBM,session=2013-10-04" })
    const shown = (yield* Cli.run(of, ["run", "show", "latest"])).stdout
    expect(shown).toMatch(/^asset +materialized +changed +skipped +failed +rows +inserted +bytes +seconds$/m)
    expect(shown).toMatch(/^staged_bars +1 +1 +0 +0 +\d+/m)

    const second = yield* Cli.run(of, ["daemon", "--listen", new URL(address).host])
    expect(second.code).toBe(3)
    expect(second.stderr).toContain(`cannot listen on ${new URL(address).host}: another process listens there`)

    child.kill("SIGTERM")
    const { stderr } = yield* Effect.promise(() => ended)
    const lines = stderr.trim().split("\n").map((line) => JSON.parse(line))
    expect(lines.map(({ message }) => message)).toContain("leads, term 1")
  })))
