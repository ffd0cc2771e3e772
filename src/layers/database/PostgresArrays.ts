/**
 * Bars as PostgreSQL array parameters, for `unnest`: one array per column whatever the number of sessions, so a
 * statement has the same text and the same number of parameters for one row and for a hundred thousand. The driver
 * sends arrays in binary and encodes plain arrays only, hence the copy.
 */
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Result from "effect/Result"
import type { Bars } from "../bars/Bars.ts"

const array = (oid: number) => (values: ReadonlyArray<unknown>): PgTypes.Parameter =>
  Result.getOrThrow(PgTypes.array(values, oid))

export const texts: (values: ReadonlyArray<string | null>) => PgTypes.Parameter = array(PgTypes.OID.text)
/** `YYYY-MM-DD`. */
export const dates: (values: ReadonlyArray<string | null>) => PgTypes.Parameter = array(PgTypes.OID.date)
/** Epoch milliseconds. */
export const timestamps: (values: ReadonlyArray<number | null>) => PgTypes.Parameter = array(PgTypes.OID.timestamptz)
export const integers: (values: ReadonlyArray<number>) => PgTypes.Parameter = array(PgTypes.OID.int4)
const numbers = array(PgTypes.OID.float8)

export interface BarArrays {
  /** Which of the groups the row belongs to, from 1: what `with ordinality` counts. */
  readonly at: PgTypes.Parameter
  readonly ts: PgTypes.Parameter
  readonly open: PgTypes.Parameter
  readonly high: PgTypes.Parameter
  readonly low: PgTypes.Parameter
  readonly close: PgTypes.Parameter
  readonly volume: PgTypes.Parameter
}

type Column = Exclude<keyof Bars, "length">

/** The rows of all groups, one after the other. */
export const make = (groups: ReadonlyArray<Bars>): BarArrays => ({
  at: integers(positions(groups)),
  ts: timestamps(concat(groups, "ts")),
  open: numbers(concat(groups, "open")),
  high: numbers(concat(groups, "high")),
  low: numbers(concat(groups, "low")),
  close: numbers(concat(groups, "close")),
  volume: numbers(concat(groups, "volume"))
})

const rowsOf = (groups: ReadonlyArray<Bars>): number => groups.reduce((sum, { length }) => sum + length, 0)

// Made as long as they get: growing costs three times as much, and memory.
const positions = (groups: ReadonlyArray<Bars>): ReadonlyArray<number> => {
  const all: Array<number> = []
  all.length = rowsOf(groups)
  let at = 0
  for (let group = 0; group < groups.length; group++) {
    for (let row = 0; row < groups[group]!.length; row++) all[at++] = group + 1
  }
  return all
}

const concat = (groups: ReadonlyArray<Bars>, column: Column): ReadonlyArray<number> => {
  const all: Array<number> = []
  all.length = rowsOf(groups)
  let at = 0
  for (const group of groups) {
    const values = group[column]
    for (let row = 0; row < group.length; row++) all[at++] = values[row]!
  }
  return all
}
