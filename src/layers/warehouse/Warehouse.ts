/**
 * The warehouse: table `bars`, loaded by replacing whole partitions. A load is one transaction together with its rows
 * in the ledger, so a load that is cut off has not happened and a load that is repeated changes nothing.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Bars } from "../bars/Bars.ts"
import { WarehouseReason } from "./WarehouseReason.ts"

/** `message` says what was done to what and why it failed; `fix` what the person does next. */
export class WarehouseError extends Schema.TaggedError<WarehouseError>()("WarehouseError", {
  operation: Schema.String,
  subject: Schema.String,
  reason: WarehouseReason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `${this.operation} ${this.subject}: ${this.reason.what}`
  }
  get fix(): string {
    return this.reason.fix
  }
  /** True where the same call may succeed later. */
  get retryable(): boolean {
    return this.reason.retryable
  }
}

export interface LoadPartition {
  readonly source: string
  readonly interval: string
  readonly symbol: string
  readonly session: string
  readonly bars: Bars
  /** `Bars.contentHash` of `bars`: kept in the ledger. */
  readonly contentHash: string
}

export interface LoadedPartition {
  /** Rows in the warehouse for the partition, after the load. */
  readonly rows: number
  readonly inserted: number
  readonly deleted: number
}

export class Warehouse extends Context.Service<Warehouse, {
  /** For people, without password: `postgres …`, `redshift-data …`. */
  readonly location: string
  /** Replaces every given partition, in one transaction. Answers in the order given. */
  readonly replace: (
    partitions: ReadonlyArray<LoadPartition>
  ) => Effect.Effect<ReadonlyArray<LoadedPartition>, WarehouseError>
}>()("barograph/layers/warehouse/Warehouse") {}
