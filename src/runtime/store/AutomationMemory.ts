/** `AutomationStore` on maps, for tests and simulations. */
import * as Effect from "effect/Effect"
import type { AutomationStore, Memory } from "./AutomationStore.ts"
import type { Signals } from "./Signals.ts"
import { isSame, type NewTick, type Tick } from "./Tick.ts"

const blank = { paused: undefined, cursor: undefined, tickedAt: undefined, failures: 0 }

export const make = (signals: Signals["Service"]): AutomationStore["Service"] => {
  const known = new Map<string, Memory>()
  let ticks: Array<Tick> = []
  let last = 0
  const memoryOf = (name: string): Memory => known.get(name) ?? { name, ...blank }
  const add = (tick: NewTick): void => {
    const at = ticks.findLastIndex(({ name }) => name === tick.name)
    if (at !== -1 && isSame(ticks[at]!, tick)) ticks[at] = { ...ticks[at]!, ...tick, count: ticks[at]!.count + 1 }
    else ticks.push({ ...tick, tickId: ++last, count: 1 })
  }
  return {
    all: Effect.sync(() => new Map(known)),
    record: (name, cursor, added) =>
      Effect.sync(() => {
        added.forEach(add)
        const before = memoryOf(name)
        const tick = added.at(-1)
        const failures = tick?.outcome === "failed" ? before.failures + 1 : 0
        known.set(name, { ...before, cursor, tickedAt: tick?.at ?? before.tickedAt, failures })
      }),
    note: (tick) => Effect.sync(() => add(tick)),
    setPaused: (name, paused) =>
      Effect.suspend(() => {
        known.set(name, { ...memoryOf(name), paused })
        return signals.send({ _tag: "AutomationChanged" })
      }),
    ticks: (name, limit) =>
      Effect.sync(() => ticks.filter((tick) => name === undefined || tick.name === name).slice(-limit).reverse()),
    forget: (before) =>
      Effect.sync(() => {
        const all = ticks.length
        const latest = new Map(ticks.map(({ name, tickId }) => [name, tickId]))
        ticks = ticks.filter(({ at, name, tickId }) => at >= before || latest.get(name) === tickId)
        return all - ticks.length
      })
  }
}
