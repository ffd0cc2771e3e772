/**
 * The graph of this project: rainfall by day, and what a week of it adds up to. Replace it by your own.
 *
 * `npx barograph materialize` brings it up to date; `npm test` runs it in memory.
 */
import * as Asset from "barograph/Asset"
import * as AssetGraph from "barograph/AssetGraph"
import * as Definitions from "barograph/Definitions"
import * as PartitionMapping from "barograph/PartitionMapping"
import * as Partitions from "barograph/Partitions"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

/** Where the numbers come from. An asset names what it needs; the layer says how it is done. */
export class Gauge extends Context.Service<Gauge, {
  readonly millimetres: (station: string, day: string) => Effect.Effect<number>
}>()("Gauge") {
  static readonly layer = Layer.succeed(Gauge, {
    millimetres: (station, day) => Effect.succeed((station.length * 7 + day.charCodeAt(0)) % 23)
  })
}

const station = Partitions.statics(["harbour", "hill"])
const day = Partitions.statics(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])

/** One partition per station and day: each is fetched once, and again only when it is stale or forced. */
export const rainfall = Asset.make(
  "rainfall",
  {
    description: "Millimetres of rain as the gauge has them",
    partitions: { station, day },
    output: Schema.Struct({ millimetres: Schema.Finite })
  },
  Effect.fn(function*({ partition }) {
    const gauge = yield* Gauge
    return { millimetres: yield* gauge.millimetres(partition.station, partition.day) }
  })
)

/** One partition per station, made from all days of that station. */
export const weeklyReport = Asset.make(
  "weekly_report",
  {
    description: "Rain of the week, by station",
    partitions: { station },
    deps: {
      days: Asset.mapped(rainfall, { station: PartitionMapping.from("station"), day: PartitionMapping.all })
    },
    output: Schema.Struct({ total: Schema.Finite, wettest: Schema.String })
  },
  ({ days }) => {
    const byRain = [...days].sort((a, b) => b.output.millimetres - a.output.millimetres)
    const total = days.reduce((sum, { output }) => sum + output.millimetres, 0)
    return Effect.succeed({ total, wettest: byRain[0]!.partition.day })
  }
)

export default Definitions.make({
  graph: AssetGraph.make(weeklyReport),
  layer: Gauge.layer
})
