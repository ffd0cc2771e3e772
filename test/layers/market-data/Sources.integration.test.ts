import * as Effect from "effect/Effect"
import * as Url from "node:url"
import { MarketData } from "../../../src/layers/market-data/MarketData.ts"
import * as Replay from "../../../src/layers/market-data/Replay.ts"
import * as SourceSuite from "../../support/SourceSuite.ts"
import { alpaca } from "../../support/vendors/Alpaca.ts"
import { alphaVantage } from "../../support/vendors/AlphaVantage.ts"
import { binance } from "../../support/vendors/Binance.ts"

for (const vendor of [alphaVantage, alpaca, binance]) SourceSuite.wire(vendor)

const sample = Url.fileURLToPath(new URL("../../../src/layers/market-data/sample/bars.csv.gz", import.meta.url))

SourceSuite.decoding(
  "The replay of the sample",
  Effect.flatMap(MarketData, (source) => source.fetchMonth({ symbol: "IBM", month: "2013-10" })),
  Replay.layer({ file: sample })
)
