/** Alerts among the other words of the process: a line of its log each. */
import * as Effect from "effect/Effect"
import * as Alert from "../../runtime/automation/Alert.ts"
import type { Channel } from "../../runtime/automation/AlertChannels.ts"

const line = (message: Alert.Message): string => {
  if (message._tag === "Flood") {
    const { flood } = message
    return [Alert.floodHeadline(flood), ...Alert.floodLines(flood), flood.command].join("; ")
  }
  const { notice } = message
  const history = Alert.history(notice)
  const title = history === undefined ? Alert.headline(notice) : `${Alert.headline(notice)} (${history})`
  return [title, ...notice.lines, notice.command].join("; ")
}

const isCalm = (message: Alert.Message): boolean =>
  message._tag === "Flood"
    ? message.flood.open === 0
    : message.notice.severity === "info" || message.notice.change === "resolved"

export const channel: Channel = {
  name: "console",
  spacing: 0,
  send: (message) =>
    Effect.as(isCalm(message) ? Effect.logInfo(line(message)) : Effect.logError(line(message)), undefined)
}
