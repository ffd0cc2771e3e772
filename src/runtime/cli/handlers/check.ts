/** `check`: whether the graph can be used, without database or network. */
import * as Effect from "effect/Effect"
import type * as AssetGraph from "../../asset/AssetGraph.ts"
import * as Validate from "../../asset/Validate.ts"
import { type Application, ApplicationLoader } from "../Application.ts"
import { configuration, type Failure } from "../Failure.ts"
import * as Print from "../render/Print.ts"

const edges = (graph: AssetGraph.Any): number =>
  [...graph.downstream.values()].reduce((sum, readers) => sum + readers.length, 0)

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** A graph that is refused never becomes one: its problems come with the failure of loading it. */
const refused = (failure: Failure) =>
  Print.json({ assets: 0, edges: 0, problems: failure.problems ?? [failure.message], fix: failure.fix })

const report = (application: Application) => {
  const { graph, origin } = application
  return {
    origin,
    assets: graph.assets.size,
    edges: edges(graph),
    problems: Validate.collect(graph.assets.values()).problems
  }
}

export const check = Effect.fnUntraced(function*(input: { readonly json: boolean }) {
  const loaded = Effect.flatMap(ApplicationLoader, ({ load }) => load)
  const application = yield* input.json ? Effect.tapError(loaded, refused) : loaded
  const found = report(application)
  if (input.json) yield* Print.json(found)
  if (found.problems.length > 0) return yield* configuration(found.problems, `see ${found.origin}`)
  if (input.json) return
  yield* Print.lines([
    `${found.origin}: ${counted(found.assets, "asset")}, ${counted(found.edges, "edge")}, no problems`
  ])
})
