/**
 * What requests to AWS Batch look like, by the service's own description: the model that its SDK for JavaScript carries. Kinds of
 * shapes are those of the SDK's schemas: `[3, namespace, name, traits, members, their shapes, number of required members]` is a
 * structure (the required ones come first), `[1, …, member]` a list, `[2, …, key, value]` a map.
 */
import * as sdk from "@aws-sdk/client-batch";

type Shape = unknown;

const [text, number, flag, listOf, mapOf] = [0, 1, 2, 64, 128];

/** What is wrong with the body of an operation's request. */
export function requestViolations(operation: string, body: unknown): readonly string[] {
  const shape: Shape = (sdk as unknown as Readonly<Record<string, Shape>>)[`${operation}Request$`];
  if (shape === undefined) return [`${operation}: the model has no such operation`];
  return violations(shape, body, operation);
}

function violations(given: Shape, value: unknown, at: string): readonly string[] {
  const shape: Shape = typeof given === "function" ? (given as () => Shape)() : given;
  if (typeof shape === "number") return ofNumber(shape, value, at);
  if (!Array.isArray(shape)) return [`${at}: the model has an unknown kind of shape`];
  switch (shape[0]) {
    case 0:
      return violations(shape[4] as Shape, value, at);
    case 1:
      return items(value, at, (each, place) => violations(shape[4] as Shape, each, place));
    case 2:
      return members(value, at, (each, place) => violations(shape[5] as Shape, each, place));
    case 3:
      return structure(shape, value, at);
    default:
      return [`${at}: the model has an unknown kind of shape`];
  }
}

function ofNumber(shape: number, value: unknown, at: string): readonly string[] {
  if (shape >= mapOf) return members(value, at, (each, place) => ofNumber(shape - mapOf, each, place));
  if (shape >= listOf) return items(value, at, (each, place) => ofNumber(shape - listOf, each, place));
  const kinds: Readonly<Record<number, string>> = { [text]: "string", [number]: "number", [flag]: "boolean" };
  const kind = kinds[shape];
  if (kind === undefined) return [`${at}: the model has an unknown kind of value`];
  return typeof value === kind ? [] : [`${at}: expected a ${kind}`];
}

function structure(shape: readonly unknown[], value: unknown, at: string): readonly string[] {
  if (!isObject(value)) return [`${at}: expected an object`];
  const names = shape[4] as readonly string[];
  const shapes = shape[5] as readonly Shape[];
  const missing = names.slice(0, Number(shape[6] ?? 0)).filter((name) => value[name] === undefined);
  return [
    ...missing.map((name) => `${at}.${name}: it is required`),
    ...Object.entries(value).flatMap(([name, each]) => {
      const index = names.indexOf(name);
      return index < 0 ? [`${at}.${name}: no such member`] : violations(shapes[index], each, `${at}.${name}`);
    }),
  ];
}

type Check = (value: unknown, at: string) => readonly string[];

function items(value: unknown, at: string, check: Check): readonly string[] {
  if (!Array.isArray(value)) return [`${at}: expected an array`];
  return value.flatMap((each, i) => check(each, `${at}[${i}]`));
}

function members(value: unknown, at: string, check: Check): readonly string[] {
  if (!isObject(value)) return [`${at}: expected an object`];
  return Object.entries(value).flatMap(([name, each]) => check(each, `${at}.${name}`));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
