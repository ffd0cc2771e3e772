import * as Migrate from "../Migrate.ts"

/** A number that an output recorded under one of these names; null where there is none. */
export const recorded = (...fields: ReadonlyArray<string>): string => {
  const numbers = fields.map((field) =>
    `case when jsonb_typeof(m.output -> '${field}') = 'number' then (m.output ->> '${field}')::float8 end`
  )
  return numbers.length === 1 ? numbers[0]! : `coalesce(${numbers.join(", ")})`
}

/** `more` are columns before those of the numbers, each with its comma. */
export const view = (more: string): string =>
  `create view barograph.audit as
    select m.materialization_id, m.run_id, m.asset, m.partition,
      m.materialized_at - m.seconds * interval '1 second' as started_at, m.materialized_at as ended_at, m.seconds,
      ${more}
      ${recorded("rows")} as rows,
      ${recorded("inserted")} as inserted,
      ${recorded("unchanged", "skipped")} as skipped,
      ${recorded("restated")} as restated,
      ${recorded("removed", "deleted")} as removed,
      ${recorded("rejected")} as rejected,
      ${recorded("bytes")} as bytes,
      m.rejected as failed_check,
      r.tags ->> 'automation' as automation
    from barograph.materializations as m left join barograph.runs as r using (run_id)`

/** What was materialized when, by whom asked for, with the numbers that outputs record under conventional names. */
export default Migrate.statements(
  view(""),
  `comment on view barograph.audit is 'One row per materialized partition: when, how long, by which run and automation, and the numbers that its output recorded.'`
)
