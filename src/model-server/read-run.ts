/** Query and body of `POST /run` and `POST /job/submit`, checked as FastAPI checks them for ersilia-pack. */
import { parseQuery } from "../http/index.ts";
import { isRecord } from "../store/predictions/index.ts";
import { type Orientation, orientations } from "./orient.ts";
import { type Detail, packDetails, refusal, unprocessable } from "./refusal.ts";

export interface RunQuery {
  readonly orient: Orientation;
  /** undefined = not said. */
  readonly fetchCache: boolean | undefined;
  readonly saveCache: boolean | undefined;
  readonly cacheOnly: boolean;
  readonly isHeavy: boolean;
}

const yes = ["1", "true", "t", "yes", "y", "on"];
const no = ["0", "false", "f", "no", "n", "off"];

/** @throws Refusal 422 with everything that is wrong. */
export function readRunQuery(rawQuery: string): RunQuery {
  const given = parseQuery(rawQuery.replaceAll("+", "%20")) ?? new Map<string, readonly string[]>();
  const details: Detail[] = [];
  const last = (name: string) => given.get(name)?.at(-1);
  const flag = (name: string): boolean | undefined => {
    const text = last(name);
    if (text === undefined) return undefined;
    const word = text.toLowerCase();
    if (yes.includes(word)) return true;
    if (no.includes(word)) return false;
    const msg = "Input should be a valid boolean, unable to interpret input";
    details.push({ type: "bool_parsing", loc: ["query", name], msg, input: text });
    return undefined;
  };
  const atLeastOne = (name: string): void => {
    const text = last(name);
    if (text === undefined) return;
    if (!/^[+-]?\d+$/.test(text.trim())) {
      const msg = "Input should be a valid integer, unable to parse string as an integer";
      details.push({ type: "int_parsing", loc: ["query", name], msg, input: text });
    } else if (Number(text) < 1) {
      const msg = "Input should be greater than or equal to 1";
      details.push({ type: "greater_than_equal", loc: ["query", name], msg, input: text, ctx: { ge: 1 } });
    }
  };
  const orient = last("orient") ?? "records";
  const known = orientations.find((name) => name === orient);
  if (known === undefined) {
    const expected = "'records', 'columns', 'values', 'split' or 'index'";
    const loc = ["query", "orient"];
    details.push({ type: "enum", loc, msg: `Input should be ${expected}`, input: orient, ctx: { expected } });
  }
  const fetchCache = flag("fetch_cache");
  const saveCache = flag("save_cache");
  const cacheOnly = flag("cache_only") ?? false;
  atLeastOne("min_workers");
  atLeastOne("max_workers");
  if (details.length > 0 || known === undefined) throw unprocessable(...details);
  return { orient: known, fetchCache, saveCache, cacheOnly, isHeavy: last("output_type") === "heavy" };
}

/** The inputs: a list of texts, or of `{"key", "input"}`. @throws Refusal 422 */
export function readInputs(body: Uint8Array, hides: { readonly traceback: boolean }): readonly string[] {
  const value = parseBody(body);
  if (!Array.isArray(value)) throw unprocessable(...notAList(value));
  if (value.length === 0)
    throw refusal(422, packDetails.emptyData, hides.traceback ? {} : { traceback: "NoneType: None\n" });
  const items: readonly unknown[] = value;
  if (items.every((item) => typeof item === "string")) return items as readonly string[];
  const details = items.flatMap((item, at) => itemDetails(item, at));
  if (details.length === 0) return items.map((item) => (isRecord(item) ? String(item["input"]) : ""));
  const texts = items.flatMap((item, at) => (typeof item === "string" ? [] : [textDetail(item, at)]));
  throw unprocessable(...[...texts, ...details].slice(0, 100));
}

function parseBody(body: Uint8Array): unknown {
  if (body.length === 0)
    throw unprocessable({ type: "missing", loc: ["body"], msg: "Field required", input: null });
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const at = Number(/position (\d+)/.exec(String(error))?.[1] ?? 0);
    throw unprocessable({
      ...{ type: "json_invalid", loc: ["body", at], msg: "JSON decode error", input: {} },
      ctx: { error: "Expecting value" },
    });
  }
}

function notAList(input: unknown): readonly Detail[] {
  return ["list[str]", "list[InputItem]"].map((member) => ({
    ...{ type: "list_type", loc: ["body", member], msg: "Input should be a valid list", input },
  }));
}

function textDetail(input: unknown, at: number): Detail {
  const loc = ["body", "list[str]", at];
  return { type: "string_type", loc, msg: "Input should be a valid string", input };
}

function itemDetails(item: unknown, at: number): readonly Detail[] {
  const place = ["body", "list[InputItem]", at];
  if (!isRecord(item)) {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    return [{ type: "model_attributes_type", loc: place, msg, input: item }];
  }
  return ["key", "input"].flatMap((name): readonly Detail[] => {
    const loc = [...place, name];
    const value = item[name];
    if (!Object.hasOwn(item, name)) return [{ type: "missing", loc, msg: "Field required", input: item }];
    if (typeof value === "string") return [];
    return [{ type: "string_type", loc, msg: "Input should be a valid string", input: value }];
  });
}
