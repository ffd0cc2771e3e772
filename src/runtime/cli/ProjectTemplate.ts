/** What `init` writes from: the directory of the template's files, and this package's own manifest for the versions. */
import * as Context from "effect/Context"

export interface Manifest {
  readonly version: string
  readonly devDependencies: { readonly [name: string]: string }
}

export class ProjectTemplate extends Context.Service<ProjectTemplate, {
  readonly directory: string
  readonly manifest: Manifest
}>()("barograph/runtime/cli/ProjectTemplate") {}
