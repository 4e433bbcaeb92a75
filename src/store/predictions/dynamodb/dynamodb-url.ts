/** `dynamodb://TABLE?parquet=s3://bucket/prefix&region=eu-west-1&keep=30d`: a table, and the Parquet files next to it. */
import { AppError, redact } from "../../../kernel/index.ts";

export interface DynamoAddress {
  readonly table: string;
  /** A folder or `s3://bucket/prefix`: the store of record, which also answers what a table cannot. */
  readonly parquet: string | undefined;
  readonly region: string | undefined;
  /** How long rows stay in the table; undefined = for ever. */
  readonly keepMs: number | undefined;
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const known = ["parquet", "region", "keep"];

export function isDynamoAddress(place: string): boolean {
  return /^dynamodb:/i.test(place);
}

/** @throws STORE_URI_INVALID: a part that would be ignored is refused. */
export function parseDynamoAddress(place: string): DynamoAddress {
  const refused = (why: string) =>
    new AppError("STORE_URI_INVALID", `cannot use ${JSON.stringify(redact(place))} as a cache: ${why}`);
  if (place.includes("@")) throw refused("credentials come from the AWS configuration");
  const [, table, , query = ""] = /^dynamodb:\/\/([A-Za-z0-9_.-]{3,255})(\?(.*))?$/.exec(place) ?? [];
  if (table === undefined)
    throw refused("write dynamodb://TABLE or dynamodb://TABLE?parquet=s3://bucket/prefix");
  const values = new URLSearchParams(query);
  for (const name of values.keys()) {
    if (!known.includes(name)) throw refused(`nothing is called ${JSON.stringify(name)} in such an address`);
    if (values.getAll(name).length > 1) throw refused(`${name} occurs twice`);
    if (values.get(name) === "") throw refused(`${name} is empty`);
  }
  const region = values.get("region") ?? undefined;
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region))
    throw refused("the region is not a region's name");
  const keep = values.get("keep");
  const [, amount, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(keep ?? "") ?? [];
  if (keep !== null && unit === undefined)
    throw refused("keep is a number with m, h or d: minutes, hours or days");
  return {
    table,
    parquet: values.get("parquet") ?? undefined,
    region,
    keepMs: keep === null ? undefined : Number(amount) * units[unit as keyof typeof units],
  };
}
