/** The golden file's lines as the modules under test say them. */
import * as TimeAxis from "../../../../src/runtime/partition/TimeAxis.ts"
import { type Declaration, declarations } from "./Declarations.ts"

export const HEADER = "zone\tdeclaration\tkey\tstart\tend"

const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z")

/** Long after the last window has ended. */
const now = Date.parse("2020-01-01T00:00:00Z")

export const toLine = ({ name, zone }: Declaration, key: string, start: number, end: number): string =>
  [zone, name, key, iso(start), iso(end)].join("\t")

const linesOf = (declaration: Declaration): ReadonlyArray<string> => {
  const axis = TimeAxis.axis(declaration.dimension, now)
  return Array.from(
    { length: axis.length },
    (_, index) => toLine(declaration, axis.keyAt(index), axis.startAt(index), axis.endAt(index))
  )
}

export const lines = (): ReadonlyArray<string> => declarations.flatMap(linesOf)
