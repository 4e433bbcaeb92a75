import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freshAsk, type ModelId } from "../../../kernel/index.ts";
import { openObjectStore } from "../../objects/index.ts";
import { createParquetTier } from "../parquet/parquet-tier.ts";
import { row, scopeOf } from "../tier-contract.ts";
import { inputsPlace, inputsTableDefinition, uploadKeys } from "./athena-inputs.ts";
import { createTableStatement, releaseValue, tableName } from "./athena-table.ts";
import { isAthenaAddress, parseAthenaAddress } from "./athena-url.ts";

const releases = ["v1", "v1.0.0", "v0 beta/1", "*'%", "ü", "a=b,c", "..", "${release}"];

it.each(releases)(
  "the folder that a table computes for release %s is the one that is written",
  async (release) => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-projection-"));
    const tier = createParquetTier({ store: openObjectStore(folder) });
    const ask = freshAsk();
    const scope = scopeOf({ release, modelId: "eos/odd model" as ModelId });
    await tier.open(ask);
    await tier.putMany(scope, [row("CCO", 1, 1, "x")], ask);
    await tier.close();
    const written = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".parquet"),
    );
    rmSync(folder, { recursive: true, force: true });
    const statement = createTableStatement({
      scope,
      database: "lab",
      location: "s3://bucket/prefix/",
      releases,
    });
    const property = (name: string) => new RegExp(`'${name}' = '([^']*)'`).exec(statement)?.[1] ?? "";
    const value = releaseValue(release);
    expect(property("projection\\.release\\.values").split(",")).toContain(value);
    const template = property("storage\\.location\\.template");
    // Of Athena: a template names every partition column, and is an address of a folder.
    expect(template).toMatch(/^s3:\/\/bucket\/prefix\/[^*]*\$\{release\}\/$/);
    const location = template.replace("${release}", () => value);
    expect(written.map((name) => `s3://bucket/prefix/${name.replace(/[^/]+$/, "")}`)).toEqual([location]);
  },
);

it("a table is another one for each model and set of columns, and its name is a name", () => {
  const names = [
    scopeOf(),
    scopeOf({ modelId: "EOS1ABC" as ModelId }),
    scopeOf({ modelId: "eos1abc`; DROP TABLE x" as ModelId }),
    scopeOf({ columns: [{ name: "weight", type: "float" }] }),
    scopeOf({ columns: scopeOf().columns.toReversed() }),
  ].map(tableName);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,60}$/);
  expect(tableName(scopeOf())).toBe(tableName(scopeOf({ release: "v2" })));
});

it("the statement of a table", () => {
  const scope = scopeOf();
  const name = tableName(scope);
  expect(
    createTableStatement({
      scope,
      database: "lab",
      location: "s3://lake/memoir",
      releases: ["v1", "v2"],
    }).split("\n"),
  ).toEqual([
    `CREATE EXTERNAL TABLE IF NOT EXISTS \`lab\`.\`${name}\` (`,
    "  `key` string,",
    "  `input` string,",
    "  `weight` double,",
    "  `rings` bigint,",
    "  `label` string,",
    "  `canonical` string,",
    "  `computed_at` string,",
    "  `runner` string,",
    "  `toolkit` string",
    ")",
    "PARTITIONED BY (`release` string)",
    "STORED AS PARQUET",
    "LOCATION 's3://lake/memoir/predictions/model_id=eos1abc/'",
    "TBLPROPERTIES (",
    "  'memoir.model' = 'eos1abc',",
    expect.stringMatching(/^ {2}'memoir.columns' = '[0-9a-f]{16}',$/),
    expect.stringMatching(/^ {2}'memoir.column_list' = '[^']+',$/),
    "  'projection.enabled' = 'true',",
    "  'projection.release.type' = 'enum',",
    "  'projection.release.values' = 'v1,v2',",
    "  'storage.location.template' = 's3://lake/memoir/predictions/model_id=eos1abc/release=${release}/'",
    ")",
  ]);
});

it("the table of uploaded inputs reads the folder that a look-up uploads to", async () => {
  const folder = mkdtempSync(join(tmpdir(), "memoir-uploads-"));
  const { parameters } = inputsTableDefinition("s3://bucket/prefix/");
  const place = inputsPlace(parameters) ?? "";
  const store = openObjectStore(place.replace("s3://bucket", folder));
  const keys = ["0".repeat(32), "f".repeat(32)];
  const uploaded = await uploadKeys(store, keys, freshAsk());
  const location = parameters["storage.location.template"]?.replace(
    "${request}",
    () => uploaded?.request ?? "",
  );
  const read = location?.replace("s3://bucket", folder) ?? "";
  expect(readdirSync(read).map((name) => readFileSync(join(read, name), "utf8"))).toEqual([
    `${keys.join("\n")}\n`,
  ]);
  await uploaded?.remove();
  expect(existsSync(read) ? readdirSync(read) : []).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  {},
  { "memoir.inputs": "2" },
  { "projection.request.type": "enum" },
  { "storage.location.template": "s3://bucket/x/" },
  { "storage.location.template": "http://bucket/${request}/" },
  { "storage.location.template": "s3://bucket/${model}/${request}/" },
])("a table that Memoir's statement did not make is not uploaded to: %j", (change) => {
  const { parameters } = inputsTableDefinition("s3://bucket");
  const changed = Object.keys(change).length === 0 ? {} : { ...parameters, ...change };
  expect(inputsPlace(parameters)).toBe("s3://bucket/uploads/athena");
  expect(inputsPlace(changed)).toBeUndefined();
});

it("columns that Athena cannot have are refused", () => {
  const scope = scopeOf({ columns: [{ name: "a`b", type: "float" }] });
  expect(() => createTableStatement({ scope, database: "lab", location: "s3://b", releases: [] })).toThrow(
    /no columns called "a`b"/,
  );
});

it("addresses", () => {
  expect(isAthenaAddress("athena://lab")).toBe(true);
  expect(parseAthenaAddress("athena://lab?workgroup=people&output=s3://results/x/&region=eu-west-1")).toEqual(
    {
      ...{ database: "lab", workgroup: "people", output: "s3://results/x/", region: "eu-west-1" },
    },
  );
  expect(parseAthenaAddress("athena://lab")).toMatchObject({ workgroup: "primary" });
});

it.each([
  "athena://",
  "athena://Lab",
  "athena://lab/x",
  "athena://lab'--",
  "athena://lab?workgroup=",
  "athena://lab?workgroup=a&workgroup=b",
  "athena://lab?other=1",
  "athena://lab?output=http://x",
  "athena://lab?region=eu west",
  "athena://key@lab",
])("%s is refused", (place) => {
  expect(() => parseAthenaAddress(place)).toThrow(/cannot use/);
});
