/** What became of an evaluation of a schedule or a sensor. */

export const OUTCOMES = ["requested", "skipped", "missed", "failed"] as const

export interface NewTick {
  /** `schedule/weekly`. */
  readonly name: string
  /** Epoch milliseconds: when it was to be evaluated, and when it was. */
  readonly due: number
  readonly at: number
  readonly outcome: (typeof OUTCOMES)[number]
  /** Why it did nothing, or what went wrong. */
  readonly why: string | undefined
  /** Ids of the runs that it asked for. */
  readonly runs: ReadonlyArray<string>
}

/** `count` equal ticks in a row; `due` and `at` are the last one's. */
export interface Tick extends NewTick {
  readonly tickId: number
  readonly count: number
}

/** Ticks in a row that say the same are one row: an idle sensor would fill the table. */
export const isSame = (one: NewTick, other: NewTick): boolean =>
  one.outcome !== "requested" && one.outcome === other.outcome && one.why === other.why
