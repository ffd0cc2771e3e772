/**
 * What a free key of Alpha Vantage may do, at one place: 25 calls a day and one a second, as its own messages have said
 * since November 2023 and 2025 ("25 requests per day", "1 request per second").
 *
 * When a day begins is said nowhere, neither in the vendor's documentation nor in its messages. New York's midnight is
 * an assumption: the vendor's clock is New York's in everything else. So nothing depends on it: a vendor that still
 * refuses after that instant is asked again with one call an hour (`quota/Ledger.ts`), and one that begins its day
 * earlier is only asked later than it might be.
 */
import type { Limits } from "../Quota.ts"

export const limits = { perSecond: 1, perDay: 25, resetZone: "America/New_York" } as const satisfies Limits
