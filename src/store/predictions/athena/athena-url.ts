/** `athena://DATABASE?workgroup=W&output=s3://bucket/prefix&region=eu-west-1`: tables over the Parquet files of a bucket. */
import { AppError, redact } from "../../../kernel/index.ts";

export interface AthenaAddress {
  readonly database: string;
  readonly workgroup: string;
  /** Where Athena writes results; undefined = where the workgroup says. */
  readonly output: string | undefined;
  readonly region: string | undefined;
}

const known = ["workgroup", "output", "region"];
/** Of a Glue database, as Memoir accepts it; what is accepted needs no quoting. */
export const databasePattern = /^[a-z0-9_]{1,128}$/;

export function isAthenaAddress(place: string): boolean {
  return /^athena:/i.test(place);
}

/** @throws STORE_URI_INVALID: a part that would be ignored is refused. */
export function parseAthenaAddress(place: string): AthenaAddress {
  const refused = (why: string) =>
    new AppError("STORE_URI_INVALID", `cannot use ${JSON.stringify(redact(place))} as a cache: ${why}`);
  if (place.includes("@")) throw refused("credentials come from the AWS configuration");
  const [, database = "", , query = ""] = /^athena:\/\/([^/?#]*)(\?([^#]*))?$/.exec(place) ?? [];
  if (!databasePattern.test(database))
    throw refused(
      "write athena://DATABASE?workgroup=NAME with a database of lower-case letters, digits and _",
    );
  const values = new URLSearchParams(query);
  for (const name of values.keys()) {
    if (!known.includes(name)) throw refused(`nothing is called ${JSON.stringify(name)} in such an address`);
    if (values.getAll(name).length > 1) throw refused(`${name} occurs twice`);
    if (values.get(name) === "") throw refused(`${name} is empty`);
  }
  const [workgroup, output, region] = known.map((name) => values.get(name) ?? undefined);
  if (workgroup !== undefined && !/^[A-Za-z0-9._-]{1,128}$/.test(workgroup))
    throw refused("the workgroup is not a workgroup's name");
  if (output !== undefined && !/^s3:\/\/[a-z0-9.-]{3,63}(\/[^?#]*)?$/.test(output))
    throw refused("output is an address such as s3://bucket/prefix/");
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region))
    throw refused("the region is not a region's name");
  return { database, workgroup: workgroup ?? "primary", output, region };
}
