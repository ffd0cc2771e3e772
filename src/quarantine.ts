/** The refused rows of staging, as the commands show them. A part of the composition. */
import * as Effect from "effect/Effect"
import { stagedBars } from "./assets/stagedBars.ts"
import type { Quarantine, QuarantinedRow, Row } from "./runtime/cli/Application.ts"
import type { Failure } from "./runtime/cli/Failure.ts"

/** A row of no session is read again with every session of its month. */
const columns =
  `id::float8 as id, 'symbol=' || symbol || ',session=' || case when session is not null then session::text
  else month || '-01..' || ((month || '-01')::date + interval '1 month - 1 day')::date::text end as partition,
  reason, raw, to_char(ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ts, payload,
  to_char(quarantined_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "quarantinedAt"`

/** `ask` runs one statement against staging. */
export const make = (ask: (sql: string) => Effect.Effect<ReadonlyArray<Row>, Failure>): Quarantine => {
  const rows = (more: string) =>
    Effect.map(
      ask(`select ${columns} from staging.quarantined_rows ${more}`),
      (found) => found as unknown as ReadonlyArray<QuarantinedRow>
    )
  return {
    asset: stagedBars.name,
    list: (limit) => rows(`order by id${limit === undefined ? "" : ` limit ${limit}`}`),
    find: (id) => Effect.map(rows(`where id = ${id}`), ([row]) => row)
  }
}
