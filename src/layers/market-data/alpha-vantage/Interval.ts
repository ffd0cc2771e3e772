/** The widths of bars that Alpha Vantage serves, and the names that it gives to each. */

/** In minutes. */
export const minutesOf = { "1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60 } as const
export type Intraday = keyof typeof minutesOf

/** Bars whose label is a date. */
const named = { Daily: "1day", Weekly: "1week", Monthly: "1month" } as const
export type Interval = Intraday | typeof named[keyof typeof named]

export const isIntraday = (interval: string): interval is Intraday => Object.hasOwn(minutesOf, interval)

const seriesName = /^(?:Time Series \((Daily|\d+min)\)|(Weekly|Monthly)(?: Adjusted)? Time Series)$/

/** The interval of a series by the name of its member in the answer; undefined for other members. */
export const ofSeries = (name: string): string | undefined => {
  const found = seriesName.exec(name)
  const stated = found?.[1] ?? found?.[2]
  return stated !== undefined && Object.hasOwn(named, stated) ? named[stated as keyof typeof named] : stated
}
