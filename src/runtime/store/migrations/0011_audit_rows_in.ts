import * as Migrate from "../Migrate.ts"
import { recorded, view } from "./0010_audit.ts"

/** Beside what went out, what came in: rows that were taken, and rows that were refused. */
export default Migrate.statements(
  `drop view barograph.audit`,
  view(`${recorded("rows")} + coalesce(${recorded("rejected")}, 0) as rows_in,`),
  `comment on view barograph.audit is 'One row per materialized partition: when, how long, by which run and automation, and the numbers that its output recorded. rows_in is rows and rejected.'`
)
