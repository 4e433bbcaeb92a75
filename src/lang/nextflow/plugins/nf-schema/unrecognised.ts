/** Parameters and headers that a schema does not know. */
import type { Session } from "../../run/session.ts";
import { truthOf } from "../../values/compare.ts";
import { textOf } from "../../values/text.ts";
import { fail } from "../../values/throwable.ts";
import { setting } from "./schema-file.ts";

/** What happens is configured; otherwise it is a warning. */
export function unrecognised(session: Session, what: "Params" | "Headers", message: string): void {
  const level = setting(session, `logging.unrecognised${what}`);
  const chosen = truthOf(setting(session, `failUnrecognised${what}`))
    ? "error"
    : level === null
      ? "warn"
      : textOf(level).toLowerCase();
  if (chosen === "error") fail("SchemaValidationException", message);
  if (chosen === "warn" || chosen === "info" || chosen === "debug") session.outside.log(chosen, message);
}
