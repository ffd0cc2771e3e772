/**
 * What Redshift's SQL has and PostgreSQL's has not, and the other way round: table attributes are taken away, keys are
 * declared but not enforced, `varchar(n)` counts bytes, and syntax that Redshift lacks is refused as it would be there.
 * String literals need nothing: the sessions run with `standard_conforming_strings = off`, Redshift's backslash rule.
 */

/** SQL that PostgreSQL runs, or the words with which Redshift refuses the statement. */
export type Translated =
  /** `after` makes an index of a sort key: both spare what the key rules out. */
  | { readonly sql: string; readonly after?: string | undefined }
  | { readonly refusal: string }

const lacking: ReadonlyArray<readonly [pattern: RegExp, near: string]> = [
  [/\bon\s+conflict\b/i, "conflict"],
  [/\breturning\b/i, "returning"],
  [/\bjsonb?\b/i, "jsonb"],
  [/\[\s*\]|\barray\s*\[/i, "["],
  [/\bunnest\s*\(/i, "unnest"],
  [/\bpg_(?:try_)?advisory\w*/i, "pg_advisory_lock"],
  [/^\s*create\s+(?:unique\s+)?index\b/i, "index"],
  [/\bwith\s+ordinality\b/i, "ordinality"],
  [/\bas\s+(?:not\s+)?materialized\b/i, "materialized"],
  [/\blateral\b/i, "lateral"],
  [/\bfilter\s*\(\s*where\b/i, "filter"],
  [/\bdistinct\s+on\b/i, "on"],
  [/\bas\s*\(\s*(?:insert|update|delete)\b/i, "insert"],
  [/\bgenerated\s+(?:always|by\s+default)\s+as\s+identity\b/i, "always"],
  // A reserved word since intervals are a type: as a name it has to be quoted.
  [/\binterval\b(?!\s*')/i, "interval"]
]

const LITERAL = /'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g

/** Takes quoted texts and comments out, so that `change` sees code only, and puts them back. */
const onCode = (sql: string, change: (code: string) => string): string => {
  const kept: Array<string> = []
  const masked = sql.replace(LITERAL, (text) => `\uE000${kept.push(text) - 1}\uE000`)
  return change(masked).replace(/\uE000(\d+)\uE000/g, (_, at) => kept[Number(at)]!)
}

const attributes = [
  /\bdiststyle\s+(?:auto|even|key|all)\b/gi,
  /\bdistkey\s*\([^)]*\)/gi,
  /\b(?:compound\s+|interleaved\s+)?sortkey\s*(?:\([^)]*\)|auto)/gi,
  /\bencode\s+\w+/gi,
  /\bbackup\s+(?:yes|no)\b/gi
]

const keys = /,\s*(?:primary\s+key|unique)\s*\([^)]*\)/gi

const table = (code: string): string => {
  let plain = code
  for (const attribute of [...attributes, keys]) plain = plain.replace(attribute, "")
  return plain.replace(
    /(\S+)\s+varchar\s*\((\d+)\)/gi,
    (_, column, bytes) => `${column} varchar check (octet_length(${column}) <= ${bytes})`
  )
}

const sortIndex = (sql: string): string | undefined => {
  const [, table, columns] =
    /^\s*create\s+table\s+(?:if\s+not\s+exists\s+)?(\S+)[\s\S]*\bsortkey\s*(\([^)]*\))/i.exec(sql) ?? []
  return table === undefined
    ? undefined
    : `create index if not exists ${table.split(".").at(-1)}_sortkey on ${table} ${columns}`
}

const functions = (code: string): string =>
  code
    .replace(/\bgetdate\s*\(\s*\)|\bsysdate\b/gi, "(now() at time zone 'UTC')")
    .replace(/\bnvl\s*\(/gi, "coalesce(")
    .replace(/\bdateadd\s*\(\s*(\w+)\s*,/gi, (_, part) => `redshift_dateadd('${part}',`)

/** Made once in the database behind: what has no counterpart. */
export const prelude = `create table if not exists public.stl_load_errors (starttime timestamptz, filename text,
    line_number bigint, raw_line text, err_code int, err_reason text);
  create or replace function public.redshift_dateadd(part text, n bigint, at timestamp)
  returns timestamp language sql immutable as $$
    select at + n * case part when 'ms' then interval '1 millisecond' when 'second' then interval '1 second'
      when 'day' then interval '1 day' end $$;
  create or replace function public.pg_last_copy_count() returns bigint language sql stable as $$
    select coalesce(current_setting('redshift.copied', true), '0')::bigint $$`

export const translate = (sql: string): Translated => {
  // The bulk of a load: nothing to change in it.
  if (/^insert into [\w".]+ (?:\([^)]*\) )?values\s*\(/i.test(sql)) return { sql }
  let refusal: string | undefined
  const translated = onCode(sql, (code) => {
    const [, near] = lacking.find(([pattern]) => pattern.test(code)) ?? []
    if (near !== undefined) refusal = `ERROR: syntax error at or near "${near}"`
    return functions(/^\s*create\s+(?:temp\w*\s+)?table\b/i.test(code) ? table(code) : code)
  })
  return refusal === undefined ? { sql: translated, after: sortIndex(sql) } : { refusal }
}

/** What Redshift says where PostgreSQL says this. */
export const told = (error: { readonly code?: string | undefined; readonly message: string }): string => {
  if (error.code === "40001" || error.code === "40P01") {
    return "ERROR: 1023 DETAIL: Serializable isolation violation on table in Redshift"
  }
  if (error.code === "22012") return "ERROR: Divide by zero"
  if (error.code === "57014") return "Query cancelled on user's request"
  if (error.code === "23514") return "ERROR: Value too long for character type"
  return `ERROR: ${error.message}`
}
