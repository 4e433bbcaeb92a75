/**
 * What requests to a TES service look like, written by hand from the text of the specification, version 1.1.0 (GA4GH Task
 * Execution Service): the members of `tesTask` that a client may send, with their types, and those that are required.
 * Members that only the service sets (`id`, `state`, `logs`, `creation_time`) are violations.
 */
type Check = (value: unknown, at: string) => readonly string[];

const text: Check = (value, at) => (typeof value === "string" ? [] : [`${at}: expected a string`]);
const flag: Check = (value, at) => (typeof value === "boolean" ? [] : [`${at}: expected a boolean`]);
const real: Check = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? [] : [`${at}: expected a number`];
const int32: Check = (value, at) =>
  Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31 ? [] : [`${at}: expected an int32`];
const absolute: Check = (value, at) =>
  typeof value === "string" && value.startsWith("/") ? [] : [`${at}: expected an absolute path`];
const one =
  (...values: readonly string[]): Check =>
  (value, at) =>
    values.includes(String(value)) ? [] : [`${at}: expected one of ${values.join(", ")}`];
const list =
  (item: Check, least = 0): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return [`${at}: expected an array`];
    const few = value.length < least ? [`${at}: expected at least ${least}`] : [];
    return [...few, ...value.flatMap((each, i) => item(each, `${at}[${i}]`))];
  };
const map =
  (item: Check): Check =>
  (value, at) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, each]) => item(each, `${at}.${name}`))
      : [`${at}: expected an object`];
const object =
  (members: Readonly<Record<string, Check>>, required: readonly string[] = []): Check =>
  (value, at) => {
    if (!isObject(value)) return [`${at}: expected an object`];
    const missing = required.filter((name) => !(name in value)).map((name) => `${at}: ${name} is required`);
    const wrong = Object.entries(value).flatMap(([name, each]) => {
      const check = members[name];
      return check === undefined ? [`${at}.${name}: no such member`] : check(each, `${at}.${name}`);
    });
    return [...missing, ...wrong];
  };

const input = object(
  {
    name: text,
    description: text,
    url: text,
    path: absolute,
    type: one("FILE", "DIRECTORY"),
    content: text,
    streamable: flag,
  },
  ["path"],
);

export const taskSchema: Check = object(
  {
    name: text,
    description: text,
    inputs: list((value, at) => [
      ...input(value, at),
      ...(isObject(value) && ("url" in value || "content" in value)
        ? []
        : [`${at}: url or content is required`]),
    ]),
    outputs: list(
      object(
        {
          name: text,
          description: text,
          url: text,
          path: absolute,
          path_prefix: text,
          type: one("FILE", "DIRECTORY"),
        },
        ["url", "path"],
      ),
    ),
    resources: object({
      cpu_cores: int32,
      preemptible: flag,
      ram_gb: real,
      disk_gb: real,
      zones: list(text),
      backend_parameters: map(text),
      backend_parameters_strict: flag,
    }),
    executors: list(
      object(
        {
          image: text,
          command: list(text, 1),
          workdir: text,
          stdin: absolute,
          stdout: absolute,
          stderr: absolute,
          env: map(text),
          ignore_error: flag,
        },
        ["image", "command"],
      ),
      1,
    ),
    volumes: list(absolute),
    tags: map(text),
  },
  ["executors"],
);

/** What is wrong with the query of a list or of a look at one task. */
export function queryViolations(query: URLSearchParams): readonly string[] {
  const known = ["name_prefix", "state", "tag_key", "tag_value", "page_size", "page_token", "view"];
  const unknown = [...query.keys()].filter((name) => !known.includes(name));
  const size = Number(query.get("page_size") ?? 256);
  const view = query.get("view") ?? "MINIMAL";
  return [
    ...unknown.map((name) => `query ${name}: no such parameter`),
    ...(Number.isInteger(size) && size > 0 && size < 2048
      ? []
      : ["query page_size: expected less than 2048"]),
    ...(["MINIMAL", "BASIC", "FULL"].includes(view) ? [] : [`query view: ${view}`]),
  ];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
