/** `COPY … FROM STDIN` on a connection of `pg`, which speaks the protocol but has no call for it. */
import type * as Pg from "pg"

interface Wire {
  readonly query: (text: string) => void
  readonly sendCopyFromChunk: (chunk: Uint8Array) => void
  readonly endCopyFrom: () => void
}

/** What `pg` tells whoever has the connection, by its own names. */
class Submitted {
  private rows = 0
  private readonly text: string
  private readonly chunks: ReadonlyArray<Uint8Array>
  private readonly done: (failure: Error | undefined, rows: number) => void

  constructor(
    text: string,
    chunks: ReadonlyArray<Uint8Array>,
    done: (failure: Error | undefined, rows: number) => void
  ) {
    this.text = text
    this.chunks = chunks
    this.done = done
  }

  submit(wire: unknown): void {
    ;(wire as Wire).query(this.text)
  }

  handleCopyInResponse(wire: Wire): void {
    for (const chunk of this.chunks) wire.sendCopyFromChunk(chunk)
    wire.endCopyFrom()
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rows = Number(/\d+$/.exec(text)?.[0] ?? 0)
  }

  /** The last that is told of a query that failed. */
  handleError(failure: Error): void {
    this.done(failure, 0)
  }

  handleReadyForQuery(): void {
    this.done(undefined, this.rows)
  }
}

/** Answers how many rows there were. */
export const copyIn = (client: Pg.Client, text: string, chunks: ReadonlyArray<Uint8Array>): Promise<number> =>
  new Promise((resolve, reject) => {
    client.query(
      new Submitted(text, chunks, (failure, rows) => failure === undefined ? resolve(rows) : reject(failure))
    )
  })
