/** `corporate_actions` [symbol]: every split and dividend that the source knows. Ask again (`--force`) for new ones. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Crypto from "node:crypto"
import { CorporateActions } from "../layers/market-data/CorporateActions.ts"
import * as Asset from "../runtime/asset/Asset.ts"
import { symbol } from "./dimensions.ts"
import { whileRetryable } from "./retry.ts"

export const KnownActions = Schema.Struct({
  splits: Schema.Array(Schema.Struct({ date: Schema.String, factor: Schema.Finite })),
  dividends: Schema.Array(Schema.Struct({ date: Schema.String, amount: Schema.Finite })),
  contentHash: Schema.String
})

export const corporateActions = Asset.make(
  "corporate_actions",
  {
    description: "Splits and dividends of a symbol",
    group: "derived",
    kinds: ["json"],
    partitions: { symbol },
    output: KnownActions,
    dataVersion: "contentHash",
    codeVersion: Effect.map(CorporateActions, ({ fingerprint }) => fingerprint),
    pool: "market_data",
    retry: whileRetryable,
    timeout: "3 minutes"
  },
  Effect.fn("corporate_actions")(function*({ partition }) {
    const actions = yield* (yield* CorporateActions).fetch(partition.symbol)
    const contentHash = Crypto.createHash("sha256").update(JSON.stringify(actions)).digest("hex").slice(0, 32)
    return { ...actions, contentHash }
  })
)
