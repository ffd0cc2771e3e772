/** The engine's own schema in PostgreSQL, `barograph`, brought up to date when the layer is built. */
import * as Layer from "effect/Layer"
import * as Migrate from "./Migrate.ts"
import engine from "./migrations/0001_engine.ts"
import cancel from "./migrations/0002_cancel.ts"
import lines from "./migrations/0003_partition_lines.ts"
import checks from "./migrations/0004_checks.ts"
import runControl from "./migrations/0005_run_control.ts"
import backfills from "./migrations/0006_backfills.ts"
import automation from "./migrations/0007_automation.ts"
import alerts from "./migrations/0008_alerts.ts"
import conditions from "./migrations/0009_conditions.ts"
import audit from "./migrations/0010_audit.ts"
import auditRowsIn from "./migrations/0011_audit_rows_in.ts"
import backfillTerms from "./migrations/0012_backfill_terms.ts"
import { during } from "./StoreError.ts"

export const layer = Layer.effectDiscard(
  during("migrate schema barograph")(Migrate.migrate("barograph", {
    "0001_engine": engine,
    "0002_cancel": cancel,
    "0003_partition_lines": lines,
    "0004_checks": checks,
    "0005_run_control": runControl,
    "0006_backfills": backfills,
    "0007_automation": automation,
    "0008_alerts": alerts,
    "0009_conditions": conditions,
    "0010_audit": audit,
    "0011_audit_rows_in": auditRowsIn,
    "0012_backfill_terms": backfillTerms
  }))
)
