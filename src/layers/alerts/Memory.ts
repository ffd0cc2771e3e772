/** A channel that keeps what it was told, for tests; `answer` says what becomes of a message, by default that it arrives. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Message } from "../../runtime/automation/Alert.ts"
import type { Channel, ChannelError } from "../../runtime/automation/AlertChannels.ts"

export interface Heard {
  /** Epoch milliseconds. */
  readonly at: number
  readonly message: Message
}

export interface MemoryChannel extends Channel {
  /** What arrived. */
  readonly heard: ReadonlyArray<Heard>
  /** How many attempts there were. */
  readonly attempts: () => number
}

export const make = (options: {
  readonly name?: string
  readonly spacing?: number
  readonly answer?: (at: number, message: Message) => Effect.Effect<string | undefined, ChannelError>
} = {}): MemoryChannel => {
  const heard: Array<Heard> = []
  let attempts = 0
  const send = Effect.fnUntraced(function*(message: Message) {
    attempts++
    const at = yield* Clock.currentTimeMillis
    const thread = yield* options.answer?.(at, message) ?? Effect.succeed(undefined)
    heard.push({ at, message })
    return thread
  })
  return { name: options.name ?? "memory", spacing: options.spacing ?? 0, send, heard, attempts: () => attempts }
}
