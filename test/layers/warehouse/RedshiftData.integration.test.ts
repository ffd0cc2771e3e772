import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RedshiftData from "../../../src/layers/warehouse/RedshiftData.ts"
import * as RedshiftSql from "../../../src/layers/warehouse/RedshiftSql.ts"
import * as RedshiftStandIn from "../../support/RedshiftStandIn.ts"
import { suite, Tables } from "./WarehouseSuite.ts"

const services = (isolation: "serializable" | "snapshot", limits?: RedshiftSql.Limits) =>
  Layer.unwrap(
    Effect.map(RedshiftStandIn.StandIn, ({ url }) => RedshiftData.layer(RedshiftStandIn.targetOf(url), limits))
  ).pipe(
    Layer.merge(Tables.layer),
    Layer.provide(RedshiftStandIn.layer({ isolation }))
  )

suite("a warehouse in Redshift, serializable", services("serializable"))
suite("a warehouse in Redshift under snapshot isolation", services("snapshot"))
suite("a warehouse in Redshift that takes little at a time", services("snapshot", { statements: 16, bytes: 4_000 }))
