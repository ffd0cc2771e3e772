import { expect, it } from "@effect/vitest"
import * as Freshness from "../../../src/runtime/asset/Freshness.ts"
import * as AlertPolicy from "../../../src/runtime/automation/AlertPolicy.ts"
import { failure, HOUR, run } from "../../support/TestAlerts.ts"

const policy: AlertPolicy.Policy = { ...AlertPolicy.standard, quotaReasons: ["QuotaExhausted"] }

const ofRun = (of: Partial<AlertPolicy.Ended>) =>
  AlertPolicy.ofRun({ run: run(), failures: [failure()], again: false, ...of }, policy)

const short = (findings: ReturnType<typeof ofRun>) => findings.map(({ incident, state }) => `${state} ${incident}`)

const totals = (materialized: number, sums: Readonly<Record<string, number>> = {}) => ({
  materialized,
  changed: 0,
  skipped: 0,
  failed: 0,
  seconds: 1,
  sums
})

it("a scheduled run that failed says what failed, and the command to look closer", () => {
  expect(ofRun({
    failures: [
      failure({ asset: "staged_bars", error: "blocked: raw_bars failed", blocked: true, count: 21 }),
      failure(),
      failure({ asset: "bars_parquet", error: "disk full", count: 3 })
    ]
  })).toEqual([{
    kind: "run_failed",
    incident: "run/schedule/weekly",
    state: "trouble",
    severity: "error",
    title: "schedule weekly failed",
    lines: [
      "raw_bars (symbol=IBM): no answer",
      "bars_parquet (3 partitions): disk full",
      "staged_bars (21 partitions) blocked: raw_bars failed"
    ],
    command: "barograph run show r1",
    at: HOUR,
    key: "r1"
  }])
})

it("a run that a person started, canceled, or that will be tried again needs nobody", () => {
  expect(ofRun({ run: run({ tags: {} }) })).toEqual([])
  expect(ofRun({ run: run({ status: "canceled" }) })).toEqual([])
  expect(ofRun({ again: true })).toEqual([])
  expect(ofRun({ run: run({ status: "interrupted" }), failures: [], again: true })).toEqual([])
})

it("a run that goes on, and a run of a backfill, make no finding of their own", () => {
  expect(ofRun({ run: run({ status: "running", endedAt: undefined }) })).toEqual([])
  expect(ofRun({ run: run({ tags: { automation: "condition/bars", backfill: "b1" } }) })).toEqual([])
})

it("a run that was cut off and is not resumed is told, and why a run failed as a whole", () => {
  expect(ofRun({ run: run({ status: "interrupted" }), failures: [] })[0]!.title).toBe("schedule weekly was cut off")
  const timedOut = ofRun({ run: run({ why: "took longer than 1h" }), failures: [] })
  expect(timedOut[0]!.lines).toEqual(["took longer than 1h"])
})

it("a run that succeeds ends the incident, also when a person retried it", () => {
  const tags = { automation: "schedule/weekly", retry_of: "r0" }
  expect(short(ofRun({ run: run({ status: "succeeded", tags }), failures: [] }))).toEqual(["well run/schedule/weekly"])
})

it("conditions that asked for one run have an incident each", () => {
  const targets = ["bars", "chart", "report"].map((asset) => ({ asset, partitions: "*" }))
  const request = { assets: [], select: null, partition: null, force: false, targets }
  const of = (more: Partial<AlertPolicy.Ended>, run_ = {}) =>
    ofRun({ run: run({ request, tags: { automation: "condition/bars" }, ...run_ }), ...more })
  const blocked = failure({ asset: "report", error: "blocked: chart failed", blocked: true })
  const found = of({ failures: [failure({ asset: "chart", error: "disk full" }), blocked] })
  expect(short(found)).toEqual(["well run/condition/bars", "trouble run/condition/chart"])
  expect(found[1]).toMatchObject({ title: "condition chart failed", lines: ["chart (symbol=IBM): disk full"] })
  expect(short(of({ failures: [blocked] }))).toContain("trouble run/condition/report")
  expect(short(of({ failures: [] }, { status: "succeeded" }))).toEqual(
    ["bars", "chart", "report"].map((asset) => `well run/condition/${asset}`)
  )
  // Cut off, or failed before anything was tried: once.
  expect(short(of({ failures: [] }, { status: "interrupted" }))).toEqual(["trouble run/condition/bars"])
  expect(short(of({ failures: [] }, { why: "no such member" }))).toEqual(["trouble run/condition/bars"])
})

it("a run that only lacked quota is told as that, and one that failed otherwise too as both", () => {
  const spent = failure({ reason: "QuotaExhausted", error: "25 calls a day" })
  const blocked = failure({ asset: "staged_bars", blocked: true, tag: undefined })
  expect(short(ofRun({ failures: [spent, blocked] }))).toEqual(["trouble quota/raw_bars"])
  expect(short(ofRun({ failures: [spent, failure({ asset: "other", tag: "Odd" })] }))).toEqual([
    "trouble run/schedule/weekly",
    "trouble quota/raw_bars"
  ])
})

it("the quota is there again when the asset is materialized, and not when another one is", () => {
  const other = ofRun({ run: run({ tags: {}, totals: { other: totals(3) } }), failures: [] })
  expect(short(other)).toEqual(["well quota/other"])
  const partly = ofRun({
    run: run({ tags: {}, totals: { raw_bars: totals(25) } }),
    failures: [failure({ reason: "QuotaExhausted" })]
  })
  expect(short(partly)).toEqual(["trouble quota/raw_bars"])
})

it("more refused rows than the threshold are told, whoever started the run, and fewer end it", () => {
  const refused = (rejected: number, tags = {}) =>
    ofRun({
      run: run({ status: "succeeded", tags, totals: { staged_bars: totals(20, { rows: 9000, rejected }) } }),
      failures: []
    }).filter(({ kind }) => kind === "quarantine")
  expect(refused(101)).toMatchObject([{ state: "trouble", title: "staged_bars: 101 rows were refused" }])
  expect(refused(100)).toMatchObject([{ state: "well" }])
})

it("an asset that says nothing of refused rows, and a run without totals, make no finding of a quarantine", () => {
  const without = run({ status: "succeeded", totals: { bars: totals(1, { rows: 5 }) } })
  expect(short(ofRun({ run: without, failures: [] }))).not.toContain("well quarantine/bars")
  for (const odd of [null, undefined, 7, { bars: "?" }]) {
    expect(short(ofRun({ run: run({ totals: odd }) }))).toEqual(["trouble run/schedule/weekly"])
  }
})

it("a run that found everything up to date says nothing of the quota and of refused rows", () => {
  const idle = run({ tags: {}, status: "succeeded", totals: { staged_bars: totals(0, { rejected: 0 }) } })
  expect(short(ofRun({ run: idle, failures: [] }))).toEqual([])
})

it("a backfill of which partitions failed is told as one; who cancels it knows", () => {
  const backfill = {
    backfillId: "b1",
    status: "failed" as const,
    request: {} as never,
    createdAt: 0,
    endedAt: HOUR,
    slices: 10,
    over: 10,
    partitions: 5000,
    done: 4000,
    failed: 1000
  }
  expect(AlertPolicy.ofBackfill(backfill)).toMatchObject([
    { state: "trouble", incident: "backfill/b1", command: "barograph backfill show b1" }
  ])
  expect(AlertPolicy.ofBackfill({ ...backfill, status: "canceled" })).toMatchObject([{ state: "well" }])
  expect(AlertPolicy.ofBackfill({ ...backfill, status: "running", endedAt: undefined })).toEqual([])
})

it("an asset that gets stale is a warning, then an error, then well; asked twice it is the same", () => {
  const rule = Freshness.within("2 hours", { warn: "1 hour" })
  const at = (now: number) => AlertPolicy.ofFreshness("bars", Freshness.evaluate(rule, 0, now), now)
  expect(at(HOUR)).toMatchObject([{ state: "trouble", severity: "warn", title: "bars will soon be overdue" }])
  expect(at(2 * HOUR)).toMatchObject([{ state: "trouble", severity: "error", title: "bars is overdue" }])
  expect(at(3 * HOUR)[0]!.key).toBe(at(2 * HOUR)[0]!.key)
  expect(at(HOUR)[0]!.key).not.toBe(at(2 * HOUR)[0]!.key)
  expect(at(1)).toMatchObject([{ state: "well" }])
  expect(AlertPolicy.ofFreshness("bars", Freshness.evaluate(rule, undefined, 0), 0)).toEqual([])
})

it("a schedule that cannot tick is told at once, a sensor after three looks", () => {
  const tick = (kind: "schedule" | "sensor") => AlertPolicy.ofTick({ kind, name: "x", at: 1, error: "no table" })
  expect(tick("schedule")).toMatchObject([{ incident: "tick/schedule/x", patience: 1, lines: ["no table"] }])
  expect(tick("sensor")).toMatchObject([{ incident: "tick/sensor/x", patience: 3 }])
})

it("definitions that stay broken in the same way are one failure", () => {
  const [first, second] = [AlertPolicy.ofDefinitions(1, "no graph"), AlertPolicy.ofDefinitions(2, "no graph")]
  expect(first[0]!.key).toBe(second[0]!.key)
  expect(AlertPolicy.ofDefinitions(3, undefined)).toMatchObject([{ state: "well" }])
})

it("a takeover is told, and needs nobody", () => {
  expect(AlertPolicy.ofTakeover(1, 7, "host-b/42")).toMatchObject([
    { state: "event", severity: "info", title: "host-b/42 leads now", key: "7" }
  ])
})

it("what is not declared any more is no trouble, and what is goes on", () => {
  const about = { kind: "run_failed", severity: "error" } as const
  const names = ["run/schedule/weekly", "tick/sensor/files", "run/condition/bars", "quota/bars", "quarantine/bars"]
  const others = ["definitions", "backfill/b1", "freshness/bars", "daemon/takeover"]
  const incidents = [...names, ...others].map((incident) => ({ ...about, incident }))
  const declared = {
    automations: new Set(["schedule/weekly", "sensor/files", "condition/bars"]),
    assets: new Set(["bars"])
  }
  expect(AlertPolicy.ofUndeclared(incidents, declared, HOUR)).toEqual([])
  const none = { automations: new Set<string>(), assets: new Set<string>() }
  const found = AlertPolicy.ofUndeclared(incidents, none, HOUR)
  expect(short(found)).toEqual(names.map((incident) => `well ${incident}`))
  expect(found[0]!.title).toBe("schedule weekly is not declared any more")
})
