/** `https://host/base`, and with `?sign=REGION` for a server behind AWS: the address of another Memoir's `/v1`. */
import { AppError, redact } from "../../../kernel/index.ts";

export interface RemoteAddress {
  /** Without a slash at the end. */
  readonly url: string;
  /** Region to sign requests for; undefined = they are not signed. */
  readonly sign: string | undefined;
}

export function isRemoteAddress(place: string): boolean {
  return /^https?:/i.test(place);
}

/** @throws STORE_URI_INVALID: a part that would be ignored is refused, and so are names and tokens in the clear. */
export function parseRemoteAddress(place: string): RemoteAddress {
  const refused = (why: string) =>
    new AppError("STORE_URI_INVALID", `cannot use ${JSON.stringify(redact(place))} as a cache: ${why}`);
  if (!/^https?:\/\//i.test(place) || !URL.canParse(place)) throw refused("write https://host");
  const url = new URL(place);
  if (url.username !== "" || url.password !== "") throw refused("credentials come from the environment");
  if (place.includes("#")) throw refused("nothing is known to follow a #");
  const isHere = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !isHere)
    throw refused("without https only servers on this machine are used");
  for (const name of url.searchParams.keys())
    if (name !== "sign") throw refused(`nothing is called ${JSON.stringify(name)} in such an address`);
  const signs = url.searchParams.getAll("sign");
  if (signs.length > 1) throw refused("sign occurs twice");
  const [sign] = signs;
  if (sign !== undefined && !/^[a-z0-9-]+$/.test(sign)) throw refused("sign is a region, such as eu-west-1");
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, sign };
}
