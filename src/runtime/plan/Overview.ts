/** How things are when a plan is made: handed in by whoever reads the store. */
import type * as Partitions from "../partition/Partitions.ts"
import type * as Staleness from "./Staleness.ts"
import type * as Standing from "./Standing.ts"

/** How things are, as far as it does not depend on single partitions. */
export interface Overview {
  readonly universe: Partitions.Universe
  readonly codeVersions: { readonly [asset: string]: string }
  /** Disjoint classes; what is in none was never tried. */
  readonly classes: (asset: string) => ReadonlyArray<Standing.Class>
  /** The number at which the run with this number ended; Infinity while it goes on. */
  readonly endOf: (run: number) => number
}

export interface Situation extends Overview {
  /** Of single partitions: those of `unclear` and what they read. */
  readonly stateOf: (asset: string, partition: string) => Staleness.PartitionState
}
