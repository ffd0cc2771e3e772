/**
 * How a load gets into Redshift without a bucket: by its size. Pure, and it says why, so that a person sees it before
 * anything is sent.
 *
 * Up to 40 statements of 100 KB make one transaction, about 45,000 bars. Beyond that the rows go to a permanent stage
 * table in several transactions that touch nothing else, and one more swaps them in. Far beyond, `COPY` from S3 would be
 * faster; what a run loads in one call is well below.
 */
import type { Limits } from "./RedshiftSql.ts"

/** All statements that are neither rows nor names: lock, stage, count, delete, insert, ledger. */
const FRAME = 12

/** Bytes of a bar as a literal: 50 with prices in cents, 70 with long decimals. */
const ROW_BYTES = 55

export type LoadPlan =
  | { readonly _tag: "OneTransaction"; readonly statements: number }
  | { readonly _tag: "StageAndSwap"; readonly batches: number; readonly perBatch: number }

/** `inserts` is how many statements the rows fill, `names` how many the partitions' names fill. */
export const choose = (inserts: number, names: number, { statements }: Limits): LoadPlan => {
  const one = inserts + names + FRAME
  if (one <= statements) return { _tag: "OneTransaction", statements: one }
  return { _tag: "StageAndSwap", batches: Math.ceil(inserts / statements), perBatch: statements }
}

/** Before the rows are there: what is to be expected for that many. */
export const estimate = (rows: number, limits: Limits): LoadPlan =>
  choose(Math.ceil(rows * ROW_BYTES / limits.bytes), 1, limits)

export const explain = (plan: LoadPlan, rows: number): string =>
  plan._tag === "OneTransaction"
    ? `${rows} rows in one transaction of ${plan.statements} statements: they fit the Data API's 40 statements of 100 KB`
    : `${rows} rows through the stage table in ${plan.batches} transactions of up to ${plan.perBatch} statements, then `
      + "one swap: more than the Data API takes in one transaction"
