/** Incidents and channels of alerts as tables. */
import type * as Alert from "../../automation/Alert.ts"
import { time } from "../../automation/Alert.ts"
import type { Incident } from "../../automation/Incident.ts"
import * as Table from "./Table.ts"

export interface ChannelStanding {
  readonly channel: string
  readonly deliveredAt: number | undefined
  readonly failures: number
  readonly error: string | undefined
  readonly nextAt: number | undefined
  readonly undelivered: ReadonlyArray<{ readonly incident: string; readonly change: Alert.Notice["change"] }>
  readonly refused: ReadonlyArray<{ readonly incident: string; readonly why: string }>
}

export const incidents = (open: ReadonlyArray<Incident>): ReadonlyArray<string> =>
  open.length === 0 ? ["Nothing needs you."] : Table.render(
    ["incident", "severity", "since", "times", "what", "look closer"],
    open.map(({ command, count, incident, openedAt, severity, title }) => [
      incident,
      severity,
      time(openedAt),
      String(count),
      title,
      command
    ])
  )

const why = ({ error, failures, nextAt, refused, undelivered }: ChannelStanding): string => {
  const parts = [
    ...(error === undefined ? [] : [
      `${error}; ${failures === 1 ? "1 attempt" : `${failures} attempts`} failed${
        nextAt === undefined ? "" : `, the next is at ${time(nextAt)}`
      }`
    ]),
    ...(error === undefined && undelivered.length > 0 ? ["waits for the daemon"] : []),
    ...refused.map(({ incident, why }) => `${incident} was not accepted: ${why}`)
  ]
  return parts.join("; ")
}

export const channels = (all: ReadonlyArray<ChannelStanding>): ReadonlyArray<string> =>
  all.length === 0 ? ["No channel is configured."] : Table.render(
    ["channel", "last told", "undelivered", "why"],
    all.map((one) => [
      one.channel,
      one.deliveredAt === undefined ? "never" : time(one.deliveredAt),
      String(one.undelivered.length),
      why(one)
    ])
  )

export const answers = (
  found: ReadonlyArray<{ readonly channel: string; readonly ok: boolean; readonly said: string; readonly fix: string }>
): ReadonlyArray<string> =>
  Table.render(
    ["", "channel", "answer"],
    found.map(({ channel, fix, ok, said }) => [ok ? "ok" : "bad", channel, fix === "" ? said : `${said}; fix: ${fix}`])
  )
