/** The plugin nf-fgbio, as far as pipelines call it: whether a text is a structure of reads, such as `5M2S+T`. */
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { ScriptFailure, Throwable } from "../values/throwable.ts";

/** Answers the text. @throws what pipelines catch: an exception whose cause says what is wrong */
export function readStructure([given = null]: readonly Value[]): Value {
  const text = textOf(given).replaceAll(/\s/g, "").toUpperCase();
  const trouble = troubleOf(text);
  if (trouble === undefined) return text;
  const message = `Read structure ${trouble}: ${textOf(given)}`;
  throw new ScriptFailure(
    new Throwable("InvocationTargetException", message, new Throwable("IllegalArgumentException", message)),
  );
}

function troubleOf(text: string): string | undefined {
  if (text === "") return "contained zero elements";
  const [segments = ""] = /^(?:(?:\d+|\+)[TBMCS])*/.exec(text) ?? [];
  if (segments.length < text.length) return "contained characters that form no segment";
  if (/(?:^|\D)0+[TBMCS]/.test(text)) return "contained zero length segments";
  return /\+[TBMCS]./.test(text) ? "has an indefinite length (+) before the last segment" : undefined;
}
