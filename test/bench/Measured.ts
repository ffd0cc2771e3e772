/** Measuring inside one process, and tables of what was measured. */
import * as Effect from "effect/Effect"

export interface Measured<A> {
  readonly value: A
  /** Milliseconds. */
  readonly wall: number
  /** Milliseconds of this process, all its threads; a server's time is not in it. */
  readonly cpu: number
}

const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

export const measured = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Measured<A>, E, R> =>
  Effect.suspend(() => {
    const [wall, cpu] = [performance.now(), cpuMillis()]
    return Effect.map(effect, (value) => ({ value, wall: performance.now() - wall, cpu: cpuMillis() - cpu }))
  })

export const time = <A>(run: () => A): Measured<A> => Effect.runSync(measured(Effect.sync(run)))

/** The most memory that this process ever had, in megabytes. */
export const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1000

export const table = (title: string, heading: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  console.log([`\n${title}\n`, line(heading), `|${heading.map(() => "---|").join("")}`, ...rows.map(line)].join("\n"))
}
