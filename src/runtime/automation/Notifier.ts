/**
 * Takes in what may need a person, and tells it: one fiber for each channel, so that none waits for another, and nothing
 * that observes waits for any of them.
 *
 *     look -> nothing due: wait for a finding, or for what is due next -> look
 *          -> a message: send it -> arrived, or refused for good: record what is known now, keep the pace -> look
 *                                -> did not arrive: record why, wait (longer each time) -> look
 *
 * Only the leader runs this. A message is recorded after it has arrived: who is killed in between, or hears no answer to a
 * message that did arrive, has it told once more by the next attempt. Waits are recorded too: who begins anew keeps to them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Metadata from "../asset/Metadata.ts"
import * as Summary from "../run/Summary.ts"
import { AlertStore, type ChannelState } from "../store/AlertStore.ts"
import type { NotLeader } from "../store/Leadership.ts"
import { RunStore } from "../store/RunStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Finding } from "./Alert.ts"
import * as AlertChannels from "./AlertChannels.ts"
import * as AlertPolicy from "./AlertPolicy.ts"
import * as Incident from "./Incident.ts"
import * as Outbox from "./Outbox.ts"
import * as Watch from "./Watch.ts"

/** Waits after attempts in a row that failed: a hiccup costs seconds, an outage of hours a call in five minutes. */
const FIRST_WAIT = 5_000
const LONGEST_WAIT = 300_000

/** A channel may ask for more than that, but not for silence. */
const LONGEST_ASKED = 3_600_000

/** Incidents of which nothing was heard for so long are forgotten: a quarterly schedule is still known when it runs next. */
const KEEP = 100 * 86_400_000

export interface Options {
  readonly fenced: Watch.Fenced
  readonly policy: AlertPolicy.Policy
}

export interface Notifier {
  /**
   * Takes findings in and wakes the channels; never waits for one. Within a transaction of the caller's, where the
   * channels would look before it commits, they find it when they look the next time.
   */
  readonly observe: (findings: ReadonlyArray<Finding>) => Effect.Effect<void, StoreError | NotLeader>
  /** Observes runs that ended, all at once; those that go on are left out. */
  readonly runsEnded: (runIds: ReadonlyArray<string>) => Effect.Effect<void, StoreError | NotLeader>
  /** Tells for ever. */
  readonly run: Effect.Effect<never, StoreError | NotLeader>
}

/** What is left of a wait; where the clock was set back, that is no more than the whole of it. */
const left = (until: number | undefined, longest: number, now: number): number =>
  until === undefined ? 0 : Math.max(0, Math.min(until - now, longest))

/** Of a channel's, whoever began them: for its next attempt, and for its pace. */
const waitOf = ({ deliveredAt, nextAt }: ChannelState, spacing: number, now: number): number =>
  Math.max(left(nextAt, LONGEST_ASKED, now), deliveredAt === undefined ? 0 : left(deliveredAt + spacing, spacing, now))

/** After so many attempts in a row that failed. */
const waitAfter = (failures: number, asked: number): number =>
  Math.max(Math.min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT), Math.min(asked, LONGEST_ASKED))

const teller = (
  store: AlertStore["Service"],
  { fenced }: Options,
  channel: AlertChannels.Channel,
  wake: Latch.Latch
) => {
  const { name, spacing } = channel

  /** What was told, or what would never be accepted. */
  const settle = Effect.fnUntraced(function*(
    of: ReadonlyArray<Outbox.Pending>,
    thread: string | undefined,
    refused: string | undefined
  ) {
    const now = yield* Clock.currentTimeMillis
    const deliveries = of.map(({ incident, told }) => {
      const before = told?.episode === incident.episode ? told.thread : undefined
      const own = of.length === 1 ? thread ?? before : before
      return { incident: incident.incident, told: Incident.told(incident, now, own, refused) }
    })
    yield* fenced(store.delivered(name, deliveries))
    yield* Effect.sleep(spacing)
  })

  const giveTime = Effect.fnUntraced(function*(failures: number, error: AlertChannels.ChannelError) {
    const asked = error.reason._tag === "Unavailable" ? error.reason.retryAfterMillis ?? 0 : 0
    const wait = waitAfter(failures, asked)
    const nextAt = (yield* Clock.currentTimeMillis) + wait
    if (failures === 1) yield* Effect.logWarning(`an alert did not arrive, and is sent again: ${error.message}`)
    yield* fenced(store.failed(name, { failures, error: Metadata.cleanText(error.reason.text), nextAt }))
    yield* Effect.sleep(wait)
  })

  return Effect.gen(function*() {
    const state = yield* fenced(store.attach(name))
    const patience = yield* Watch.Patience
    let failures = state.failures
    yield* Effect.sleep(waitOf(state, spacing, yield* Clock.currentTimeMillis))
    while (true) {
      // Closed before the look: what is observed from here on opens it again.
      wake.closeUnsafe()
      const pending = yield* fenced(store.pending(name))
      const now = yield* Clock.currentTimeMillis
      const next = Outbox.next(pending, state.since, now)
      if (next._tag === "Wait") {
        yield* Effect.raceFirst(wake.await, Effect.sleep(Math.min(next.until - now, patience)))
        continue
      }
      const sent = yield* Effect.result(AlertChannels.deliver(channel, next.message))
      if (Result.isSuccess(sent)) yield* settle(next.of, sent.success, undefined)
      else if (sent.failure.reason._tag === "Refused") {
        yield* Effect.logWarning(`an alert was not accepted: ${sent.failure.message}; barograph alert list shows it`)
        yield* settle(next.of, undefined, sent.failure.reason.text)
      } else {
        yield* giveTime(++failures, sent.failure)
        continue
      }
      failures = 0
    }
  })
}

const pruning = (store: AlertStore["Service"], { fenced }: Options) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => fenced(store.prune(now - KEEP))).pipe(
    Effect.repeat(Schedule.spaced("1 hour")),
    Effect.andThen(Effect.never)
  )

/** Why a run failed is in its events. */
const failuresOf = Effect.fnUntraced(function*(runs: RunStore["Service"], runId: string) {
  const summary = Summary.builder(runId, 0)
  for (const { event } of yield* runs.events(runId)) summary.add(event)
  return summary.build(0).failures
})

/** A run whose process died may have been taken up again by another attempt, whose end is what counts. */
const endedOf = Effect.fnUntraced(function*(runs: RunStore["Service"], runId: string) {
  const run = yield* runs.find(runId)
  if (run?.endedAt === undefined) return undefined
  const later = run.status === "interrupted" ? yield* runs.list({ limit: 1, tags: { retry_of: runId } }) : []
  const failures = run.status === "succeeded" ? [] : yield* failuresOf(runs, runId)
  return { run, failures, again: later.length > 0 } satisfies AlertPolicy.Ended
})

/** Of the channels that `AlertChannels` holds where this is made. */
export const make = (options: Options): Effect.Effect<Notifier, never, AlertStore | RunStore> =>
  Effect.gen(function*() {
    const store = yield* AlertStore
    const runs = yield* RunStore
    const tellers = (yield* AlertChannels.AlertChannels).map((channel) => ({ channel, wake: Latch.makeUnsafe(false) }))

    const observe = (findings: ReadonlyArray<Finding>) =>
      findings.length === 0
        ? Effect.void
        // Woken after the commit: before it they would look in vain.
        : Effect.andThen(
          options.fenced(store.observe(findings)),
          Effect.sync(() => tellers.forEach(({ wake }) => void wake.openUnsafe()))
        )

    const runsEnded = Effect.fnUntraced(function*(runIds: ReadonlyArray<string>) {
      const found = yield* Effect.forEach(runIds, (runId) => endedOf(runs, runId))
      yield* observe(found.flatMap((ended) => ended === undefined ? [] : AlertPolicy.ofRun(ended, options.policy)))
    })

    const run = Effect.all(
      [pruning(store, options), ...tellers.map(({ channel, wake }) => teller(store, options, channel, wake))],
      { concurrency: "unbounded" }
    ).pipe(Effect.andThen(Effect.never))

    return { observe, runsEnded, run }
  })
