/** Aligned columns: numbers to the right, words to the left. */

const NUMBER = /^-?[\d,.]+( s)?$/

/** A heading and its rows. Control characters of data are shown, not sent to the terminal. */
export const render = (
  heading: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const shown = rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, " ")))
  const widths = heading.map((title, at) => shown.reduce((most, row) => Math.max(most, row[at]!.length), title.length))
  const right = heading.map((_, at) =>
    shown.length > 0 && shown.every((row) => row[at] === "" || NUMBER.test(row[at]!))
  )
  const line = (cells: ReadonlyArray<string>): string =>
    cells.map((cell, at) => right[at] === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)).join("  ")
      .trimEnd()
  return [heading, ...shown].map(line)
}
