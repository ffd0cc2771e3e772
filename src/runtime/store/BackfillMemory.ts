/** `BackfillStore` on maps, for tests and for one process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Backfill, BackfillStore, Slice } from "./BackfillStore.ts"

type Kept = Pick<Backfill, "backfillId" | "status" | "request" | "createdAt" | "endedAt">

const isOpen = ({ status }: { readonly status: string }): boolean => status === "pending" || status === "running"

const isWorked = ({ status }: { readonly status: string }): boolean => status === "requested" || status === "running"

const sum = (slices: ReadonlyArray<Slice>, of: (slice: Slice) => number): number =>
  slices.reduce((all, slice) => all + of(slice), 0)

export const make = (): BackfillStore["Service"] => {
  const backfills = new Map<string, Kept>()
  const slices = new Map<string, Array<Slice>>()

  const slicesOf = (backfillId: string): Array<Slice> => slices.get(backfillId) ?? []
  const withTotals = (kept: Kept): Backfill => {
    const own = slicesOf(kept.backfillId)
    const over = own.filter((slice) => !isOpen(slice))
    return {
      ...kept,
      slices: own.length,
      over: over.length,
      partitions: sum(own, ({ count }) => count),
      done: sum(own, ({ done }) => done),
      failed: sum(over, ({ count, done }) => count - done)
    }
  }
  const find = (backfillId: string): Backfill | undefined => {
    const kept = backfills.get(backfillId)
    return kept === undefined ? undefined : withTotals(kept)
  }
  const become = (backfillId: string, changed: Partial<Kept>): void =>
    void backfills.set(backfillId, { ...backfills.get(backfillId)!, ...changed })
  const change = ({ backfillId, position, worker }: Slice, changed: Partial<Slice>): void => {
    const own = slicesOf(backfillId)
    const now = own[position]!
    if (now.status === "running" && now.worker === worker) own[position] = { ...now, ...changed }
  }

  return {
    create: (backfillId, request, cut) =>
      Effect.map(Clock.currentTimeMillis, (createdAt) => {
        backfills.set(backfillId, { backfillId, status: "requested", request, createdAt, endedAt: undefined })
        slices.set(
          backfillId,
          cut.map((slice, position) => ({
            ...slice,
            backfillId,
            position,
            status: "pending",
            done: 0,
            failures: [],
            worker: undefined,
            runId: undefined
          }))
        )
      }),
    find: (backfillId) => Effect.sync(() => find(backfillId)),
    list: (limit) => Effect.sync(() => [...backfills.values()].reverse().slice(0, limit).map(withTotals)),
    open: Effect.sync(() => [...backfills.values()].filter(isWorked).map(withTotals)),
    slices: (backfillId) => Effect.sync(() => [...slicesOf(backfillId)]),
    claim: (backfillId, worker) =>
      Effect.sync(() => {
        const open = slicesOf(backfillId).filter(isOpen)
        const kept = backfills.get(backfillId)
        const next = open.find(({ stage, status }) => status === "pending" && stage === open[0]!.stage)
        if (next === undefined || kept === undefined || !isWorked(kept)) return undefined
        become(backfillId, { status: "running" })
        return slicesOf(backfillId)[next.position] = { ...next, status: "running", worker, runId: undefined }
      }),
    attach: (slice, runId, done) =>
      Effect.sync(() => {
        if (!isWorked(backfills.get(slice.backfillId)!)) return false
        change(slice, { runId, done })
        return true
      }),
    release: (slice) => Effect.sync(() => change(slice, { status: "pending", worker: undefined, done: 0 })),
    finish: (slice, result) => Effect.sync(() => change(slice, { ...result, worker: undefined })),
    settle: (backfillId) =>
      Effect.map(Clock.currentTimeMillis, (endedAt) => {
        const own = slicesOf(backfillId)
        const kept = backfills.get(backfillId)
        if (kept !== undefined && isWorked(kept) && !own.some(isOpen)) {
          become(backfillId, {
            status: own.some(({ status }) => status === "failed") ? "failed" : "succeeded",
            endedAt
          })
        }
        return find(backfillId)
      }),
    cancel: (backfillId) =>
      Effect.map(Clock.currentTimeMillis, (endedAt) => {
        const kept = backfills.get(backfillId)
        if (kept === undefined || !isWorked(kept)) return false
        become(backfillId, { status: "canceled", endedAt })
        return true
      }),
    reopen: (backfillId) =>
      Effect.sync(() => {
        const own = slicesOf(backfillId)
        for (const slice of own) {
          if (slice.status !== "failed") continue
          own[slice.position] = { ...slice, status: "pending", done: 0, failures: [] }
        }
        if (own.some(isOpen)) become(backfillId, { status: "running", endedAt: undefined })
      }),
    recover: Effect.void
  }
}
