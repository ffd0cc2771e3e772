import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import * as S3Server from "../../support/S3Server.ts"
import { partition, replace } from "./RedshiftScene.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

const services = (isolation: "serializable" | "snapshot", limits?: RedshiftSql.Limits) =>
  Layer.unwrap(
    Effect.map(RedshiftStandIn.StandIn, ({ url }) => RedshiftData.layer(RedshiftStandIn.targetOf(url), limits))
  ).pipe(
    Layer.merge(Tables.layer),
    Layer.provide(RedshiftStandIn.layer({ isolation }))
  )

/** Whatever its size, a load goes through a bucket, in objects of a session or so. */
const copying = Layer.unwrap(Effect.map(S3Server.make(), (s3) =>
  Layer.unwrap(
    Effect.map(
      RedshiftStandIn.StandIn,
      ({ url }) =>
        RedshiftData.layer(RedshiftStandIn.copyingTargetOf(url, s3.url), {
          ...RedshiftSql.limits,
          copyRows: 0,
          objectRows: 400
        })
    )
  ).pipe(
    Layer.merge(Tables.layer),
    Layer.provide(RedshiftStandIn.layer({ isolation: "snapshot", s3: { endpoint: s3.url } }))
  )))

suite("a warehouse in Redshift, serializable", services("serializable"))
suite("a warehouse in Redshift under snapshot isolation", services("snapshot"))
suite(
  "a warehouse in Redshift that takes little at a time",
  services("snapshot", { ...RedshiftSql.limits, statements: 16, bytes: 4_000 })
)
suite("a warehouse in Redshift that copies from a bucket", copying)

const watched = Layer.unwrap(
  Effect.map(RedshiftStandIn.StandIn, ({ url }) => RedshiftData.layer(RedshiftStandIn.targetOf(url)))
).pipe(Layer.provideMerge(RedshiftStandIn.layer({ isolation: "snapshot" })))

layer(watched, { timeout: "60 seconds" })("a load in Redshift", (it) => {
  it.effect("copies no rows aside that lie between its sessions", () =>
    Effect.gen(function*() {
      const sessions = ["2024-01-10", "2024-02-06", "2024-02-07", "2024-03-05"]
      yield* replace(sessions.map((session) => partition("FAR", session, 100)))
      yield* replace([partition("FAR", "2024-01-10", 200), partition("FAR", "2024-03-05", 200)])
      const { results, sqls } = [...(yield* RedshiftStandIn.StandIn).statements.all.values()].at(-1)!
      const aside = sqls.findIndex((sql) => sql.includes("create temp table barograph_others"))
      expect(results[aside]!.affected).toBe(0)
    }))
})
