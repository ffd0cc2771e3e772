/** A command as a process of its own: how long, how much of the processor, how much memory at most. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { readStat, TICK } from "../ServerCpu.ts"

export interface Watched {
  /** Milliseconds. */
  readonly wall: number
  /** Milliseconds of the processor, all threads. */
  readonly cpu: number
  /** Megabytes: the most that was resident. */
  readonly peak: number
}

export interface Command {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** What the kernel counts only grows, so that only what happens after the last look is missed. */
const LOOK = 10

const peakOf = (pid: number): number | undefined => {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(Fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  } catch {
    return undefined
  }
}

export const run = ({ args, command, cwd, env }: Command): Promise<Watched> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const child = ChildProcess.spawn(command, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] })
    let [ticks, peak, said] = [0, 0, ""]
    const watch = setInterval(() => {
      ticks = readStat(child.pid!)?.own ?? ticks
      peak = peakOf(child.pid!) ?? peak
    }, LOOK)
    child.stderr.on("data", (chunk) => (said = `${said}${chunk}`.slice(-4_000)))
    child.on("error", reject)
    child.on("close", (code) => {
      clearInterval(watch)
      if (code !== 0) return reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${said}`))
      resolve({ wall: performance.now() - startedAt, cpu: ticks * TICK, peak })
    })
  })
