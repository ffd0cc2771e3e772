/** What a PostgreSQL server used of the processor: its living processes, and those that have ended. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Timers from "node:timers/promises"

/** Milliseconds so far of the embedded server in the state directory. A process that ends is counted a moment later. */
export const serverCpu = async (home: string): Promise<number> => {
  await Timers.setTimeout(200)
  const pidFile = Path.join(home, "postgres", "data", "postmaster.pid")
  const postmaster = Number(Fs.readFileSync(pidFile, "utf8").split("\n")[0])
  let ticks = 0
  for (const pid of Fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = readStat(pid)
    if (stat !== undefined && Number(pid) === postmaster) ticks += stat.own + stat.ended
    else if (stat?.parent === postmaster) ticks += stat.own
  }
  return ticks * TICK
}

/** Milliseconds of a tick, on every Linux that we know. */
export const TICK = 10

/** Ticks of a process, or undefined when there is none. */
export const readStat = (pid: string | number) => {
  try {
    const fields = Fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ").map(Number)
    return { parent: fields[1]!, own: fields[11]! + fields[12]!, ended: fields[13]! + fields[14]! }
  } catch {
    return undefined
  }
}
