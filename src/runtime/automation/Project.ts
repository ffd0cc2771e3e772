/** What a daemon works on: a graph with its automations, and how it is run. An application is one. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as AssetGraph from "../asset/AssetGraph.ts"
import type { Member } from "../partition/Partitions.ts"
import type * as Cost from "../plan/Cost.ts"
import type * as Admission from "../run/Admission.ts"
import * as Situation from "../run/Situation.ts"
import * as Selection from "../selection/Selection.ts"
import type * as AlertPolicy from "./AlertPolicy.ts"
import * as Leaving from "./Leaving.ts"
import * as Schedule from "./Schedule.ts"
import * as Sensor from "./Sensor.ts"

export type Automation<R = unknown> = Schedule.Schedule | Sensor.Sensor<R>

export interface Project<R = unknown> {
  /** What its assets need, where that is not around already. */
  readonly services?: Context.Context<never> | undefined
  readonly graph: AssetGraph.AssetGraph<string, R>
  readonly automations: ReadonlyArray<Automation<R>>
  /** The configured members of the dynamic sets. */
  readonly members: Effect.Effect<{ readonly [set: string]: ReadonlyArray<Member> }, { readonly message: string }>
  /** Steps at a time, in each run. */
  readonly concurrency: number
  readonly pools: { readonly [pool: string]: Cost.PoolLimit }
  readonly limits: Admission.Limits
  /** What needs a person; `AlertPolicy.standard` when left out. Where alerts go is a service: `AlertChannels`. */
  readonly alertPolicy?: AlertPolicy.Policy | undefined
}

/** Longer than a list takes. One that never comes would hold the slots of all runs that wait for it. */
const PATIENCE = Duration.seconds(60)

/** What exists by now, see `Situation.settled`. A store that is slow is no fault of the list, or of the run that waits for it. */
export const settled = <R>({ members }: Project<R>) =>
  Situation.settled(Leaving.timeoutOrElse(members, {
    duration: PATIENCE,
    orElse: () => Effect.fail({ message: `the members were not listed within ${Duration.format(PATIENCE)}` })
  }))

/** `schedule/weekly`, `sensor/new_symbols`. */
export const keyOf = (self: Automation): string => self._tag === "Schedule" ? Schedule.keyOf(self) : Sensor.keyOf(self)

/** A schedule that names what the graph does not have would fail at its first tick, in the night. */
const unknownIn = (graph: AssetGraph.Any, self: Schedule.Schedule): ReadonlyArray<string> => {
  const found = Result.try({ try: () => self.request(0), catch: (error) => Schedule.refusal(error).message }).pipe(
    Result.flatMap(({ assets, select }) => Selection.resolve(graph, select ?? assets.join(",")))
  )
  return Result.isSuccess(found) ? [] : [`Schedule "${self.name}": ${found.failure}`]
}

/** What is wrong with the automations, a sentence each. */
export const problems = (graph: AssetGraph.Any, automations: ReadonlyArray<Automation>): ReadonlyArray<string> => {
  const keys = automations.map(keyOf)
  return [
    ...keys.filter((key, at) => keys.indexOf(key) !== at).map((key) => `There are two automations "${key}".`),
    ...automations.flatMap((one) => one._tag === "Schedule" ? unknownIn(graph, one) : [])
  ]
}
