/** A row of an answer is an object, which holds one value a name; SQL gives `min(low), min(high)` one name. */

/** The later ones of equal names numbered, as in `min`, `min_2`. */
export const distinct = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const taken = new Set(names)
  return names.map((name, at) => {
    if (names.indexOf(name) === at) return name
    let number = 2
    while (taken.has(`${name}_${number}`)) number++
    taken.add(`${name}_${number}`)
    return `${name}_${number}`
  })
}

export const isDistinct = (names: ReadonlyArray<string>): boolean => new Set(names).size === names.length

/** The row as an object, its values under the names of their places. */
export const row = <A>(names: ReadonlyArray<string>, values: ReadonlyArray<A>): { readonly [column: string]: A } =>
  Object.fromEntries(names.map((name, at) => [name, values[at]!]))
