/** What the stand-ins of `local-cloud` were asked for since the last look, and how much of it was to change something. */

const READING = /^(?:GET|HEAD)$/

export class RequestCount {
  private counts = new Map<string, Map<string, number>>()
  private writing = 0
  private total = 0
  private seen = 0

  s3({ method, operation }: { readonly method: string; readonly operation: string }): void {
    this.add("S3", operation, !READING.test(method))
  }

  /** A request to run statements writes unless each of them selects. */
  redshift({ action, body }: { readonly action: string; readonly body: { readonly [field: string]: unknown } }): void {
    const sqls = [body["Sql"], body["Sqls"]].flat().filter((sql) => typeof sql === "string")
    this.add("Redshift", action, sqls.some((sql) => !/^\s*select\b/i.test(sql)))
  }

  /** Begins anew. */
  take(): { readonly writes: number; readonly text: string } {
    const taken = { writes: this.writing, text: this.text() }
    this.counts = new Map()
    this.writing = 0
    return taken
  }

  /** Tells what came when nothing more has come for `millis`; answers how to end it. */
  whenIdle(millis: number, tell: (text: string) => void): () => void {
    let told = 0
    const timer = setInterval(() => {
      const idle = this.total === this.seen
      this.seen = this.total
      if (!idle || told === this.total) return
      told = this.total
      tell(this.take().text)
    }, millis)
    return () => clearInterval(timer)
  }

  private text(): string {
    const services = [...this.counts].sort(([one], [other]) => one.localeCompare(other)).map(([service, actions]) => {
      const each = [...actions].sort(([one], [other]) => one.localeCompare(other))
      return `${service} ${each.map(([action, count]) => `${count} ${action}`).join(", ")}`
    })
    return `${["requests:", ...services].join("  ")}  (${this.writing === 0 ? "no" : this.writing} writes)`
  }

  private add(service: string, action: string, writes: boolean): void {
    const actions = this.counts.get(service) ?? new Map<string, number>()
    this.counts.set(service, actions.set(action, (actions.get(action) ?? 0) + 1))
    this.total++
    if (writes) this.writing++
  }
}
