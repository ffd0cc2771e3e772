/** `AlertStore` on maps, for tests and for one process. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Incident from "../automation/Incident.ts"
import type { AlertStore, ChannelState } from "./AlertStore.ts"

const knows = (self: Incident.Incident, told: Incident.Told | undefined): boolean =>
  told !== undefined && told.episode === self.episode && told.status === self.status &&
  told.severity === self.severity && told.count === self.count

export const make = (): AlertStore["Service"] => {
  const incidents = new Map<string, Incident.Incident>()
  const channels = new Map<string, ChannelState>()
  /** Channel to incident to what it was told. */
  const deliveries = new Map<string, Map<string, Incident.Told>>()

  const toldOf = (channel: string): Map<string, Incident.Told> => {
    const own = deliveries.get(channel) ?? new Map<string, Incident.Told>()
    deliveries.set(channel, own)
    return own
  }
  const change = (channel: string, changed: Partial<ChannelState>): void => {
    const known = channels.get(channel)
    if (known !== undefined) channels.set(channel, { ...known, ...changed })
  }

  return {
    observe: (findings) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        for (const finding of findings) {
          const after = Incident.apply(incidents.get(finding.incident), finding, now)
          if (after !== undefined) incidents.set(finding.incident, after)
        }
      }),
    attach: (channel) =>
      Effect.map(Clock.currentTimeMillis, (since) => {
        const blank = { deliveredAt: undefined, failures: 0, error: undefined, nextAt: undefined }
        const state = channels.get(channel) ?? { channel, since, ...blank }
        channels.set(channel, state)
        return state
      }),
    channel: (channel) => Effect.sync(() => channels.get(channel)),
    pending: (channel) =>
      Effect.sync(() => {
        const since = channels.get(channel)?.since ?? Number.POSITIVE_INFINITY
        return [...incidents.values()].flatMap((incident) => {
          const told = toldOf(channel).get(incident.incident)
          const concerns = told !== undefined || incident.status === "open" || incident.changedAt >= since
          return concerns && !knows(incident, told) ? [{ incident, told }] : []
        })
      }),
    delivered: (channel, told) =>
      Effect.map(Clock.currentTimeMillis, (deliveredAt) => {
        for (const one of told) if (incidents.has(one.incident)) toldOf(channel).set(one.incident, one.told)
        change(channel, { deliveredAt, failures: 0, error: undefined, nextAt: undefined })
      }),
    failed: (channel, trouble) => Effect.sync(() => change(channel, trouble)),
    refusals: (channel) =>
      Effect.sync(() =>
        [...toldOf(channel)].flatMap(([incident, { refused }]) =>
          refused === undefined ? [] : [{ incident, why: refused }]
        )
      ),
    open: Effect.sync(() =>
      [...incidents.values()].filter(({ status }) => status === "open").sort((a, b) =>
        a.openedAt - b.openedAt || (a.incident < b.incident ? -1 : 1)
      )
    ),
    find: (incident) => Effect.sync(() => incidents.get(incident)),
    prune: (before) =>
      Effect.sync(() => {
        const old = [...incidents.values()].filter(({ latestAt }) => latestAt < before)
        for (const { incident } of old) {
          incidents.delete(incident)
          for (const own of deliveries.values()) own.delete(incident)
        }
        return old.length
      })
  }
}
