/** The quotas of one process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Quota, QuotaUsedUp } from "../Quota.ts"
import * as Ledger from "./Ledger.ts"

export const layerMemory: Layer.Layer<Quota> = Layer.sync(Quota, () => {
  const ledgers = new Map<string, Ledger.Ledger>()
  const of = (account: string): Ledger.Ledger => ledgers.get(account) ?? Ledger.empty
  return Quota.of({
    reserve: (account, limits, cost) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const decided = Ledger.reserve(of(account), limits, cost, now)
        if (decided._tag === "Closed") {
          return Effect.fail(new QuotaUsedUp({ account, why: decided.why, resetsAt: decided.until }))
        }
        ledgers.set(account, decided.ledger)
        return Effect.succeed(decided.start)
      }),
    close: (account, until, why) =>
      Effect.sync(() => void ledgers.set(account, Ledger.closed(of(account), until, why))),
    exhausted: (account, limits, cost) =>
      Effect.map(
        Clock.currentTimeMillis,
        (now) => void ledgers.set(account, Ledger.exhausted(of(account), limits, cost, now))
      ),
    accepted: (account, limits, start) =>
      Effect.sync(() => void ledgers.set(account, Ledger.accepted(of(account), limits, start))),
    used: (account, limits) => Effect.map(Clock.currentTimeMillis, (now) => Ledger.usedOn(of(account), now, limits))
  })
})
