/**
 * The one error of this folder: no usable PostgreSQL. Raised while the layer is built; later failures of statements are
 * the client's `SqlError`.
 */
import * as Schema from "effect/Schema"
import { ConnectionReason } from "./ConnectionReason.ts"
import { EmbeddedReason } from "./EmbeddedReason.ts"

/** `message` says what happened and why; `fix` what the person does next. */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  reason: Schema.Union([ConnectionReason, EmbeddedReason])
}) {
  override get message(): string {
    return `${this.reason.what}: ${this.reason.why}`
  }
  get fix(): string {
    return this.reason.fix
  }
}
