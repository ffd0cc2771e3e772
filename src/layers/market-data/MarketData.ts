/**
 * Where bars come from. A source answers one month of one symbol as the bytes its API sent, and knows how to decode
 * such bytes again later: raw payloads are kept, so a better decoder can be run over old answers.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Reject, SessionBars } from "../bars/Bars.ts"

/** Slow down: the vendor counts calls per second or per minute. Wait, then ask again. */
export class Throttled extends Schema.TaggedClass<Throttled>()("Throttled", {
  text: Schema.String,
  retryAfterMillis: Schema.Finite
}) {}

/** The day's calls are spent. */
export class QuotaExhausted extends Schema.TaggedClass<QuotaExhausted>()("QuotaExhausted", { text: Schema.String }) {}

/** The key's plan does not include this series. Never retried. */
export class NotEntitled extends Schema.TaggedClass<NotEntitled>()("NotEntitled", { text: Schema.String }) {}

/** The key was refused. Never retried. */
export class Unauthorized extends Schema.TaggedClass<Unauthorized>()("Unauthorized", { text: Schema.String }) {}

/** The vendor does not know the symbol or refuses the parameters. Never retried. */
export class InvalidRequest extends Schema.TaggedClass<InvalidRequest>()("InvalidRequest", { text: Schema.String }) {}

/** Outage, timeout, connection or server error. Worth another try. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", { text: Schema.String }) {}

/** Sample data that the vendor marks as artificial: never loaded. */
export class Artificial extends Schema.TaggedClass<Artificial>()("Artificial", { text: Schema.String }) {}

/** The answer is for another symbol, interval, zone or month: filing it would store rows under a wrong name. Never retried. */
export class Mismatched extends Schema.TaggedClass<Mismatched>()("Mismatched", { text: Schema.String }) {}

/** The vendor silently sent less than was asked for: its latest rows only. Never retried. */
export class Downgraded extends Schema.TaggedClass<Downgraded>()("Downgraded", { text: Schema.String }) {}

/** An answer with status 200 that is neither a series nor a known message. */
export class Unrecognised extends Schema.TaggedClass<Unrecognised>()("Unrecognised", { text: Schema.String }) {}

export const Reason = Schema.Union([
  Throttled,
  QuotaExhausted,
  NotEntitled,
  Unauthorized,
  InvalidRequest,
  Unavailable,
  Artificial,
  Mismatched,
  Downgraded,
  Unrecognised
])
export type Reason = typeof Reason.Type

/** Whether the same request may succeed later in the same run. */
export const isPassing = ({ _tag }: Reason): boolean => _tag === "Throttled" || _tag === "Unavailable"

/** Every failure of a source. `reason.text` never contains the key. */
export class MarketDataError extends Schema.TaggedError<MarketDataError>()("MarketDataError", {
  source: Schema.String,
  /** Symbol and month are empty where the question has none. */
  symbol: Schema.String,
  month: Schema.String,
  reason: Reason
}) {
  override get message(): string {
    const asked = [this.source, this.symbol, this.month].filter((part) => part !== "").join(" ")
    return `${asked}: ${this.reason._tag}: ${this.reason.text}`
  }
  get retryable(): boolean {
    return isPassing(this.reason)
  }
  /** The least time to wait before the next try, where the source named one. */
  get retryAfterMillis(): number {
    return this.reason._tag === "Throttled" ? this.reason.retryAfterMillis : 0
  }
}

/** `month` is `YYYY-MM` in the exchange's zone. */
export interface Request {
  readonly symbol: string
  readonly month: string
}

export interface Payload {
  /** The body as it came, with the key removed where the vendor echoes it. */
  readonly bytes: Uint8Array
  /** Names the decoder, e.g. `alpha-vantage/intraday-json`. */
  readonly format: string
  /** Epoch milliseconds. */
  readonly fetchedAt: number
}

/** What a payload holds. Sessions ascend, bars within a session ascend. Bad rows are in `rejects`, nothing is lost. */
export interface Decoded {
  readonly sessions: ReadonlyArray<SessionBars>
  /** Each with the session it belongs to, or null where the row's time could not be read. */
  readonly rejects: ReadonlyArray<Reject & { readonly session: string | null }>
  /** False when the payload is cut off, empty or no series at all: rows missing from it are not known to be gone. */
  readonly complete: boolean
  /**
   * What the vendor's labels name: the start of a bar's window, as `Bars.ts` has it, or its end. Labels of the end were
   * moved back by one interval. Absent means start.
   */
  readonly labels?: "start" | "end"
}

export class MarketData extends Context.Service<MarketData, {
  /** Goes to the `source` column: `alpha_vantage`, `replay`. */
  readonly source: string
  /** Goes to the `interval` column: `1min`. */
  readonly interval: string
  /** The settings that change what is fetched, as one line. A change makes raw payloads stale. No secret in it. */
  readonly fingerprint: string
  readonly fetchMonth: (request: Request) => Effect.Effect<Payload, MarketDataError>
  /**
   * A month of several symbols with the calls of one question, where the vendor takes several. Every symbol has an entry:
   * one that the vendor refuses fails alone.
   */
  readonly fetchMonths?: (
    symbols: ReadonlyArray<string>,
    month: string
  ) => Effect.Effect<ReadonlyMap<string, Result.Result<Payload, MarketDataError>>, MarketDataError>
  /** Never fails: what cannot be decoded is rejected. */
  readonly decode: (format: string, bytes: Uint8Array) => Decoded
}>()("barograph/layers/market-data/MarketData") {}
