/**
 * Which of the waiting runs may begin. Pure.
 *
 * Runs go by priority, then in the order in which they came. A run that a limit of its tags holds back lets others pass;
 * the limit on all runs holds everybody back.
 */

export interface Limits {
  /** Runs at a time; undefined: any number. */
  readonly runs?: number | undefined
  /** `key=value` or `key` to how many runs with that tag go on at a time. */
  readonly tags?: { readonly [tag: string]: number } | undefined
}

export interface Waiting {
  readonly runId: string
  readonly tags: Tags
}

export type Tags = { readonly [tag: string]: string }

export const isTagged = (self: Limits): boolean => Object.keys(self.tags ?? {}).length > 0

export const isLimited = (self: Limits): boolean => self.runs !== undefined || isTagged(self)

/** `key=value`, or `key` with any value. */
export const has = (tags: Tags, tag: string): boolean => {
  const [key, value] = tag.split("=")
  return tags[key!] !== undefined && (value === undefined || tags[key!] === value)
}

const limitsOf = (self: Limits, tags: Tags): ReadonlyArray<readonly [tag: string, limit: number]> =>
  Object.entries(self.tags ?? {}).filter(([tag]) => has(tags, tag))

/** Tags that let nobody begin as long as these runs go on. */
export const full = (self: Limits, running: ReadonlyArray<Tags>): ReadonlyArray<string> =>
  Object.entries(self.tags ?? {})
    .filter(([tag, limit]) => running.filter((tags) => has(tags, tag)).length >= limit)
    .map(([tag]) => tag)

/** `running` are the tags of the runs that go on, `queue` is in order; `others` count for the limits of tags alone. */
export const admitted = (
  self: Limits,
  running: ReadonlyArray<Tags>,
  queue: ReadonlyArray<Waiting>,
  others: ReadonlyArray<Tags> = []
): ReadonlySet<string> => {
  const found = new Set<string>()
  const counts = new Map<string, number>()
  const count = (tags: Tags): void => {
    for (const [tag] of limitsOf(self, tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  }
  running.forEach(count)
  others.forEach(count)
  for (const { runId, tags } of queue) {
    if (running.length + found.size >= (self.runs ?? Number.POSITIVE_INFINITY)) break
    if (limitsOf(self, tags).some(([tag, limit]) => (counts.get(tag) ?? 0) >= limit)) continue
    found.add(runId)
    count(tags)
  }
  return found
}
