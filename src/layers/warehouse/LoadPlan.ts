/**
 * How a load gets into Redshift: by its size. Pure, and it says why, so that a person sees it before anything is sent.
 *
 * Up to 40 statements of 100 KB make one transaction, about 45,000 bars. Beyond that the rows go to a permanent stage
 * table in several transactions that touch nothing else, and one more swaps them in. With a bucket, all but small loads
 * are copied from it instead: a row costs the server less as text in a file than as a literal in a statement, but the
 * objects have to be written, read and removed, which is half a dozen requests whatever the size.
 */
import type { Limits } from "./RedshiftSql.ts"

/** All statements that are neither rows nor names: lock, stage, count, delete, insert, ledger. */
const FRAME = 12

/** Bytes of a bar as a literal: 50 with prices in cents, 70 with long decimals. */
const ROW_BYTES = 55

/** Through a bucket. */
interface Copy {
  readonly _tag: "Copy"
  readonly objects: number
}

/** As literals in statements. */
type Literals =
  | { readonly _tag: "OneTransaction"; readonly statements: number }
  | { readonly _tag: "StageAndSwap"; readonly batches: number; readonly perBatch: number }

export type LoadPlan = Copy | Literals

/** By the number of rows alone: no literal is made in order to be counted. */
export const copy = (rows: number, { copyRows, objectRows }: Limits): Copy | undefined =>
  rows < copyRows ? undefined : { _tag: "Copy", objects: Math.ceil(rows / objectRows) }

/** Without a bucket, or for what is not worth one. `inserts` is how many statements the rows fill, `names` how many the partitions' names fill. */
export const choose = (inserts: number, names: number, { statements }: Limits): Literals => {
  const one = inserts + names + FRAME
  if (one <= statements) return { _tag: "OneTransaction", statements: one }
  return { _tag: "StageAndSwap", batches: Math.ceil(inserts / statements), perBatch: statements }
}

/** Before the rows are there: what is to be expected for that many. */
export const estimate = (rows: number, limits: Limits, hasBucket: boolean): LoadPlan =>
  (hasBucket ? copy(rows, limits) : undefined) ?? choose(Math.ceil(rows * ROW_BYTES / limits.bytes), 1, limits)

export const explain = (plan: LoadPlan, rows: number): string => {
  switch (plan._tag) {
    case "Copy":
      return `${rows} rows by COPY from S3, in ${plan.objects} ${
        plan.objects === 1 ? "object" : "objects"
      }: so many are `
        + "quicker than as statements"
    case "OneTransaction":
      return `${rows} rows in one transaction of ${plan.statements} statements: they fit the Data API's 40 statements of `
        + "100 KB"
    case "StageAndSwap":
      return `${rows} rows through the stage table in ${plan.batches} transactions of up to ${plan.perBatch} statements, `
        + "then one swap: more than the Data API takes in one transaction; with copy= in BAROGRAPH_WAREHOUSE they would "
        + "come from S3 in one"
  }
}
