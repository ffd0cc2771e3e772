import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Database from "../../../src/layers/database/Database.ts"
import * as Cli from "../../support/Cli.ts"

/** `ROUNDS=200` takes a quarter of an hour. */
const ROUNDS = Number(process.env["ROUNDS"] ?? 5)
/** Seconds for which the server is gone. */
const OUTAGE = Number(process.env["OUTAGE"] ?? 4)
/** A directory on a small file system, as of `mount -t tmpfs -o size=300m`: the server's disk is filled up for real. */
const SMALL_DISK = process.env["SMALL_DISK"]
const LEASE = Duration.seconds(2)

const fixture = Cli.projectOf(Path.join(import.meta.dirname, "fixture", "daemons.ts"))

interface Daemons {
  readonly of: Cli.Project
  readonly home: string
  readonly start: (drain?: string) => Cli.Started
  /** The daemon that leads, once one of these does. */
  readonly leader: (
    among: ReadonlyArray<Cli.Started>
  ) => Effect.Effect<Cli.Started, never, SqlClient.SqlClient>
}

interface Row {
  readonly [column: string]: unknown
}

/** A server that is away for a while is asked again. */
const rows = (statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Row>(statement)).pipe(
    Effect.retry({ times: 150, schedule: Schedule.spaced("200 millis") }),
    Effect.orDie
  )

const until = <A, E, R>(effect: Effect.Effect<A, E, R>, is: (found: A) => boolean, within: Duration.Input) =>
  effect.pipe(
    Effect.repeat({ until: is, schedule: Schedule.spaced("50 millis") }),
    Effect.timeout(within)
  )

const LEADER = "select term::int, holder from barograph.leader where expires_at > clock_timestamp()"

const leaderAmong = (among: ReadonlyArray<Cli.Started>) =>
  rows(LEADER).pipe(
    Effect.map(([row]) => among.find(({ child }) => String(row?.["holder"]).endsWith(` ${child.pid}`))),
    (looked) => until(looked, (found) => found !== undefined, "60 seconds"),
    Effect.orDie,
    Effect.map((found) => found!)
  )

const signal = (started: Cli.Started, name: NodeJS.Signals) => Effect.sync(() => void started.child.kill(name))

/** It has come up: what a server that goes away does to one that just starts is another matter. */
const up = ({ child }: Cli.Started) =>
  Effect.callback<void>((resume) => {
    let said = ""
    child.stderr!.on("data", (chunk) => {
      said += chunk
      if (/leads|stands by/.test(said)) resume(Effect.void)
    })
  }).pipe(Effect.timeout("60 seconds"))

const killed = (started: Cli.Started) => Effect.andThen(signal(started, "SIGKILL"), Effect.promise(() => started.ended))

/** A project of the fixture; what is left of its daemons is killed at the end. */
const daemons = <A, E>(use: (of: Daemons) => Effect.Effect<A, E, SqlClient.SqlClient | Scope.Scope>) =>
  Effect.scoped(Effect.gen(function*() {
    const of = yield* fixture
    const home = Path.join(of.directory, ".barograph")
    if (SMALL_DISK !== undefined) Fs.symlinkSync(SMALL_DISK, home)
    const all: Array<Cli.Started> = []
    yield* Effect.addFinalizer(() => Effect.forEach(all, killed))
    const start = (drain = "10 seconds") => {
      const started = Cli.start(of, ["daemon", "--lease", `${Duration.toSeconds(LEASE)} seconds`, "--drain", drain])
      all.push(started)
      return started
    }
    const database = Database.layer({ home, url: undefined })
    return yield* use({ of, home, start, leader: leaderAmong }).pipe(Effect.provide(database))
  }))

const addLines = ({ of }: Daemons, from: number, count: number) =>
  Effect.sync(() => {
    const text = Array.from({ length: count }, (_, at) => `${from + at}\n`).join("")
    Fs.appendFileSync(Path.join(of.directory, "lines"), text)
  })

const calls = ({ of }: Daemons) => {
  const file = Path.join(of.directory, "calls")
  return Fs.existsSync(file) ? Fs.readFileSync(file, "utf8").trimEnd().split("\n").map((line) => line.split(" ")) : []
}

const OPEN = `select count(*)::int as open from barograph.runs as r where status in ('requested', 'queued', 'running')
  or status = 'interrupted' and not exists (select 1 from barograph.runs where run_key = r.run_key and attempt > r.attempt)`

const DONE = `select count(distinct run_key)::int as done from barograph.runs
  where status = 'succeeded' and run_key like 'sensor/lines@%'`

const STUCK =
  `select run_id, status, attempt, fenced, term::int, why, started_at, cancel_requested_at from barograph.runs
  where status in ('requested', 'queued', 'running') order by started_at limit 5`

/** So many lines are done, and nothing is open; what is, when that takes too long. */
const settled = (lines: number) =>
  until(
    Effect.all([rows(DONE), rows(OPEN)]),
    ([[done], [open]]) => done!["done"] === lines && open!["open"] === 0,
    Duration.seconds(90 + lines / 2)
  ).pipe(
    Effect.catchTag("TimeoutError", () =>
      Effect.flatMap(
        Effect.all({ stuck: rows(STUCK), done: rows(DONE), open: rows(OPEN), leader: rows(LEADER) }),
        (stands) => Effect.die(new Error(`does not settle: ${JSON.stringify(stands)}`))
      ))
  )

/** Keys with another number of successes than one; partitions with another number of materializations; ticks twice. */
const wrong = Effect.all({
  keys: rows(`select run_key, count(*) from barograph.runs where run_key is not null
    group by 1 having count(*) filter (where status = 'succeeded') <> 1`),
  attempts: rows(`select run_key, attempt, count(*) from barograph.runs where run_key is not null
    group by 1, 2 having count(*) > 1`),
  partitions: rows(`select partition, count(*) from barograph.materializations where asset = 'noted'
    group by 1 having count(*) <> 1`),
  ticks: rows(`select name, due, count(*) from barograph.ticks where outcome = 'requested'
    group by 1, 2 having count(*) > 1`),
  minutes: rows(`select due from (select due, lag(due) over (order by due) as before from barograph.ticks
    where name = 'schedule/minutely') as each where due - before <> interval '1 minute'`),
  told: rows(`select run_id from barograph.ticks, jsonb_array_elements_text(runs) as told(run_id)
    where run_id not in (select run_id from barograph.runs)`)
})

const NOTHING = { keys: [], attempts: [], partitions: [], ticks: [], minutes: [], told: [] }

/** The same numbers in every run of the test. */
const randomOf = (seed: number) => {
  let state = seed
  return () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32
}

it.live(
  `leader and standby are killed at random, ${ROUNDS} times: no tick and no run is lost or doubled`,
  () =>
    daemons((of) =>
      Effect.gen(function*() {
        const random = randomOf(2)
        const pair = [of.start(), of.start()]
        let lines = 0
        const victims = { leader: 0, standby: 0 }
        for (let round = 0; round < ROUNDS; round++) {
          const leader = yield* of.leader(pair)
          yield* addLines(of, lines, 4)
          lines += 4
          yield* Effect.sleep(Math.round(random() * 900))
          const at = random() < 0.6 ? pair.indexOf(leader) : 1 - pair.indexOf(leader)
          victims[pair[at] === leader ? "leader" : "standby"]++
          yield* killed(pair[at]!)
          pair[at] = of.start()
        }
        yield* settled(lines)
        expect(yield* wrong).toEqual(NOTHING)
        const doubled = calls(of).length - lines
        const [tries] = yield* rows("select count(*)::int as runs, max(attempt)::int as most from barograph.runs")
        console.log(`${ROUNDS} rounds:`, { ...victims, lines, "called again after a kill": doubled, ...tries })
        expect(new Set(calls(of).map(([line]) => line)).size).toBe(lines)
        // A call that was cut off is made again: no more than the slots of a leader that was killed.
        expect(doubled).toBeLessThanOrEqual(victims.leader * 4)
      })
    ),
  3_600_000
)

it.live(
  "a leader that stands still is replaced within seconds; awake again it writes nothing, stands by, and ends cleanly",
  () =>
    daemons((of) =>
      Effect.gen(function*() {
        of.of.env["TAKES"] = "1500"
        const first = of.start()
        yield* of.leader([first])
        const second = of.start()
        yield* addLines(of, 0, 3)
        yield* until(Effect.sync(() => calls(of).length), (count) => count === 3, "60 seconds")
        yield* signal(first, "SIGSTOP")
        const [took] = yield* Effect.timed(of.leader([second]))
        expect(Duration.toMillis(took)).toBeLessThan(15_000)
        yield* settled(3)
        // Of its own term: the new leader goes on, and has a tick each minute.
        const its = rows(
          "select count(*)::int as events from barograph.events join barograph.runs using (run_id) where term = 1"
        )
        const before = yield* its
        yield* signal(first, "SIGCONT")
        yield* Effect.sleep("3 seconds")
        expect(yield* its).toEqual(before)
        expect(yield* of.leader([first, second])).toBe(second)
        expect(yield* wrong).toEqual(NOTHING)
        yield* addLines(of, 3, 2)
        yield* settled(5)
        expect(new Set(calls(of).slice(3).map(([, pid]) => Number(pid)))).toEqual(new Set([second.child.pid]))
        yield* signal(second, "SIGTERM")
        yield* of.leader([first])
        yield* signal(first, "SIGTERM")
        expect((yield* Effect.promise(() => first.ended)).signal).toBeNull()
      })
    ),
  600_000
)

it.live(
  "asked to stop, a daemon ends its runs, interrupts what takes longer than it may, and hands over at once",
  () =>
    daemons((of) =>
      Effect.gen(function*() {
        of.of.env["TAKES"] = "2500"
        const first = of.start()
        yield* of.leader([first])
        const second = of.start()
        yield* addLines(of, 0, 2)
        yield* until(Effect.sync(() => calls(of).length), (count) => count === 2, "60 seconds")
        yield* signal(first, "SIGTERM")
        expect(yield* Effect.promise(() => first.ended)).toMatchObject({ code: 130, signal: null })
        expect(yield* rows("select status from barograph.runs where run_key like 'sensor/%'")).toEqual([
          { status: "succeeded" },
          { status: "succeeded" }
        ])
        // Its lease would have gone on for two seconds.
        const [took] = yield* Effect.timed(of.leader([second]))
        expect(Duration.toMillis(took)).toBeLessThan(Duration.toMillis(LEASE))
        yield* killed(second)
        of.of.env["TAKES"] = "5000"
        const third = of.start("100 millis")
        yield* of.leader([third])
        yield* addLines(of, 2, 1)
        yield* until(Effect.sync(() => calls(of).length), (count) => count === 3, "60 seconds")
        yield* signal(third, "SIGTERM")
        yield* Effect.promise(() => third.ended)
        expect(yield* rows("select status from barograph.runs where run_key = 'sensor/lines@2'")).toEqual([
          { status: "interrupted" }
        ])
        expect(yield* rows(LEADER)).toEqual([])
        of.of.env["TAKES"] = "10"
        yield* of.leader([of.start()])
        yield* settled(3)
        expect(yield* wrong).toEqual(NOTHING)
      })
    ),
  600_000
)

/** Kills the server, and whoever starts it again, for so long. */
const withoutServer = ({ home }: Daemons, duration: Duration.Input) =>
  Effect.gen(function*() {
    const file = Path.join(home, "postgres", "data", "postmaster.pid")
    const kill = Effect.sync(() => {
      const pid = Number(Fs.existsSync(file) ? Fs.readFileSync(file, "utf8").split("\n")[0] : "")
      try {
        if (pid > 1) process.kill(pid, "SIGKILL")
      } catch (error) {
        // It is gone already, its file is not.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
      }
    })
    yield* kill
    yield* kill.pipe(Effect.repeat(Schedule.spaced("50 millis")), Effect.timeoutOption(duration))
  })

/** As PostgreSQL says it. */
const FULL = `create function public.full_disk() returns trigger language plpgsql as $$ begin
  raise exception 'could not extend file "base/1": No space left on device' using errcode = '53100'; end $$`

const TABLES = ["runs", "events", "materializations", "ticks"]

/** Says no to what writes, as a server does whose disk is full. */
const refusing = Effect.acquireRelease(
  Effect.forEach([
    FULL,
    ...TABLES.map((table) =>
      `create trigger full_disk before insert on barograph.${table} execute function public.full_disk()`
    )
  ], rows),
  () => Effect.forEach(TABLES, (table) => rows(`drop trigger full_disk on barograph.${table}`))
)

/** Leaves the server no room. */
const filled = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const file = Path.join(directory, "filler")
      const descriptor = Fs.openSync(file, "w")
      for (const size of [1 << 20, 1 << 12]) {
        const block = Buffer.alloc(size)
        try {
          while (Fs.writeSync(descriptor, block) === size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error
        }
      }
      Fs.closeSync(descriptor)
      return file
    }),
    (file) => Effect.sync(() => Fs.rmSync(file))
  )

it.live(
  "a server that is gone for a while, and then one whose disk is full, stop nothing for good, and nothing is lost",
  () =>
    daemons((of) =>
      Effect.gen(function*() {
        of.of.env["TAKES"] = "700"
        const pair = [of.start(), of.start()]
        yield* Effect.forEach(pair, up, { concurrency: 2 })
        yield* of.leader(pair)
        yield* addLines(of, 0, 6)
        yield* until(Effect.sync(() => calls(of).length), (count) => count > 1, "60 seconds")
        yield* Effect.all([withoutServer(of, Duration.seconds(OUTAGE)), addLines(of, 6, 3)], { concurrency: 2 })
        yield* settled(9)
        yield* addLines(of, 9, 6)
        yield* until(Effect.sync(() => calls(of).length), (count) => count > 10, "60 seconds")
        yield* Effect.scoped(Effect.gen(function*() {
          yield* SMALL_DISK === undefined ? refusing : filled(SMALL_DISK)
          yield* addLines(of, 15, 3)
          yield* Effect.sleep("2 seconds")
        }))
        yield* settled(18)
        expect(yield* wrong).toEqual(NOTHING)
        expect(pair.map(({ child }) => child.exitCode ?? child.signalCode)).toEqual([null, null])
        for (const one of pair) yield* signal(one, "SIGTERM")
        const said = (yield* Effect.promise(() => Promise.all(pair.map(({ ended }) => ended)))).map((one) => one.stderr)
        expect(said.join("")).toContain("No space left on device")
        expect(said.join("")).not.toContain("a bug in barograph")
      })
    ),
  600_000
)
