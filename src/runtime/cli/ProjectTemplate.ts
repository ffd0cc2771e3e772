/** What `init` writes from: where this package lies, which has the template, and its manifest, which has the versions. */
import * as Context from "effect/Context"

export interface Manifest {
  readonly version: string
  readonly devDependencies: { readonly [name: string]: string }
}

export class ProjectTemplate extends Context.Service<ProjectTemplate, {
  readonly packageDirectory: string
  readonly manifest: Manifest
}>()("barograph/runtime/cli/ProjectTemplate") {}
