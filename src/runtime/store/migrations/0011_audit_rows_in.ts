import * as Migrate from "../Migrate.ts"
import { recorded } from "./0010_audit.ts"

/** Beside what went out, what came in: rows that were taken, and rows that were refused. */
export default Migrate.statements(
  `drop view barograph.audit`,
  `create view barograph.audit as
    select m.materialization_id, m.run_id, m.asset, m.partition,
      m.materialized_at - m.seconds * interval '1 second' as started_at, m.materialized_at as ended_at, m.seconds,
      ${recorded("rows")} + coalesce(${recorded("rejected")}, 0) as rows_in,
      ${recorded("rows")} as rows,
      ${recorded("inserted")} as inserted,
      ${recorded("unchanged", "skipped")} as skipped,
      ${recorded("restated")} as restated,
      ${recorded("removed", "deleted")} as removed,
      ${recorded("rejected")} as rejected,
      ${recorded("bytes")} as bytes,
      m.rejected as failed_check,
      r.tags ->> 'automation' as automation
    from barograph.materializations as m left join barograph.runs as r using (run_id)`,
  `comment on view barograph.audit is 'One row per materialized partition: when, how long, by which run and automation, and the numbers that its output recorded. rows_in is rows and rejected.'`
)
