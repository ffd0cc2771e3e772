/** A binary heap: the least by `compare` comes out first. */

export interface Heap<A> {
  readonly items: Array<A>
  readonly compare: (a: A, b: A) => number
}

export const make = <A>(compare: (a: A, b: A) => number): Heap<A> => ({ items: [], compare })

export const push = <A>({ compare, items }: Heap<A>, item: A): void => {
  let at = items.push(item) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (compare(items[parent]!, item) <= 0) break
    items[at] = items[parent]!
    at = parent
  }
  items[at] = item
}

export const pop = <A>({ compare, items }: Heap<A>): A | undefined => {
  const top = items[0]
  const last = items.pop()
  if (last === undefined || items.length === 0) return top
  let at = 0
  for (let child = 1; child < items.length; child = at * 2 + 1) {
    if (child + 1 < items.length && compare(items[child + 1]!, items[child]!) < 0) child++
    if (compare(last, items[child]!) <= 0) break
    items[at] = items[child]!
    at = child
  }
  items[at] = last
  return top
}
