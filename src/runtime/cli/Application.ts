/**
 * What a project hands to the commands: its graph, the layers that its assets and the engine need, and what the
 * commands cannot know by themselves. Loaded only by commands that need it, so that `--help` stays quick.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import type { Project } from "../automation/Project.ts"
import type { Member } from "../partition/Partitions.ts"
import type * as Plan from "../plan/Plan.ts"
import type { Executor } from "../run/Executor.ts"
import type { AlertStore } from "../store/AlertStore.ts"
import type { AutomationStore } from "../store/AutomationStore.ts"
import type { BackfillStore } from "../store/BackfillStore.ts"
import type { CheckStore } from "../store/CheckStore.ts"
import type { Claims } from "../store/Claims.ts"
import type { ConditionStore } from "../store/ConditionStore.ts"
import type { DynamicPartitions } from "../store/DynamicPartitions.ts"
import type { Leadership } from "../store/Leadership.ts"
import type { MaterializationStore } from "../store/MaterializationStore.ts"
import type { RunStore } from "../store/RunStore.ts"
import type { Signals } from "../store/Signals.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { DefinitionsFlag } from "./DefinitionsFlag.ts"
import type { Failure } from "./Failure.ts"

export type Engine =
  | Executor
  | RunStore
  | MaterializationStore
  | CheckStore
  | DynamicPartitions
  | BackfillStore
  | AlertStore
  | Claims
  | AutomationStore
  | Leadership
  | Signals
  | ConditionStore

export type Row = { readonly [column: string]: unknown }

/** One thing that `doctor` looks at: answers a sentence, or fails with one. */
export interface Check {
  readonly name: string
  readonly run: Effect.Effect<string, Failure>
}

/** A row that was refused, as `quarantine` shows it. */
export interface QuarantinedRow {
  readonly id: number
  /** As `--partition` takes it: the partitions whose materialization reads the row again. */
  readonly partition: string
  readonly reason: string
  /** The row as it came. */
  readonly raw: string
  /** Its time, where that could be read. */
  readonly ts: string | null
  /** Where the payload is kept that it came in. */
  readonly payload: string
  readonly quarantinedAt: string
}

export interface Quarantine {
  /** The asset that refuses rows. */
  readonly asset: string
  /** The oldest first; all of them without a limit. */
  readonly list: (limit: number | undefined) => Effect.Effect<ReadonlyArray<QuarantinedRow>, Failure>
  readonly find: (id: number) => Effect.Effect<QuarantinedRow | undefined, Failure>
}

/** What replaces the graph of a running daemon; the engine and its settings stay. */
export interface Reloaded {
  readonly project: Project
  readonly layer: Layer.Layer<unknown, Failure>
}

export interface Application<R = unknown> extends Project<R> {
  /** Where the graph is declared, for people. */
  readonly origin: string
  readonly layer: Layer.Layer<R | Engine, Failure>
  /** Said before work begins, one line each. */
  readonly notices: ReadonlyArray<string>
  /** The configured members of the dynamic sets. */
  readonly members: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Member> }, Failure>
  /** What the project knows of a plan that the plan does not: lines about quotas of today, about how data will travel. */
  readonly forecast?: (plan: Plan.Plan) => Effect.Effect<ReadonlyArray<string>, Failure | StoreError, Engine>
  /** Where the data of an asset is, for people: no secrets. */
  readonly locations?: { readonly [asset: string]: string }
  /** Tags of errors that lie with the outer world: a run that fails by these alone exits with 4. */
  readonly upstreamErrors: ReadonlyArray<string>
  /** What `query --store` can ask; `asOf` is a time, and the answer what was known then. */
  readonly stores: {
    readonly [store: string]: (sql: string, asOf?: string) => Effect.Effect<ReadonlyArray<Row>, Failure>
  }
  readonly checks: ReadonlyArray<Check>
  /** The graph again whenever its files change, with the layer of its assets, or why it cannot be read. */
  readonly reloads?: Stream.Stream<Result.Result<Reloaded, Failure>>
  /** Where the project keeps refused rows, if it does. */
  readonly quarantine?: Quarantine
}

/** How the commands get at the application; its services are checked where it is made. */
export class ApplicationLoader extends Context.Service<ApplicationLoader, {
  readonly load: Effect.Effect<Application, Failure, DefinitionsFlag>
  /** The stores and the channels of alerts alone: for what can be said although the definitions cannot be read. */
  readonly stores: Effect.Effect<Layer.Layer<Engine, Failure>, Failure>
}>()("barograph/runtime/cli/ApplicationLoader") {}

/** Checks that the layer gives everything that the graph needs: a missing layer does not compile. */
export const make = <R>(
  application: Omit<Application<R>, "layer"> & { readonly layer: Layer.Layer<NoInfer<R> | Engine, Failure> }
): Application => application as unknown as Application
