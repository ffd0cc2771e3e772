/** How the assets are partitioned: by the symbols that are configured, by month, and by session of the exchange. */
import * as PartitionMapping from "../runtime/partition/PartitionMapping.ts"
import * as Partitions from "../runtime/partition/Partitions.ts"
import { nyse } from "./nyse.ts"

/** The dynamic set of symbols; each member lives from its configured start to its end. */
export const symbol = Partitions.dynamic("symbols")

/** Vendors answer by month; the month that is going on counts too. */
export const month = Partitions.monthly({ zone: nyse.zone, start: "2000-01", endOffset: 1 })

export const session = Partitions.sessions(nyse, { start: "2000-01-01" })

/** A session's rows are in the payload of the month that contains it. */
export const sessionFromMonth = {
  symbol: PartitionMapping.from("symbol"),
  month: PartitionMapping.containing("session")
} as const
