/** `splitText` */

import { asInt } from "../../values/number.ts";
import type { List } from "../../values/thing.ts";
import { chunked, limited, type SplitOptions } from "./options.ts";

export function splitText(text: string, options: SplitOptions): List {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const keep = options.all.at("keepHeader");
  const headers =
    keep === true ? 1 : keep === undefined || keep === false ? 0 : asInt(keep, "the option keepHeader");
  const header = lines.slice(0, headers).join("");
  const chunks = chunked(limited(lines.slice(headers), options), options.by).map(
    (each) => header + each.join(""),
  );
  const { each } = options;
  return each === undefined ? chunks : chunks.map((chunk) => each.call([chunk]));
}
