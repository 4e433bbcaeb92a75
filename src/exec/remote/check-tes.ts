/** What `memoir doctor` says of the TES service that the environment names. */
import { type Ask, defined } from "../../kernel/index.ts";
import type { CheckAnswer } from "../core/index.ts";
import { TesClient } from "./tes-client.ts";
import { authorizationOf } from "./tes-options.ts";

const limitMs = 10_000;

export async function checkTes(env: Readonly<Record<string, string>>, ask: Ask): Promise<CheckAnswer> {
  const url = env["MEMOIR_TES_URL"] ?? "";
  if (url === "") return { state: "absent", detail: "MEMOIR_TES_URL is not set" };
  if (!URL.canParse(url)) return { state: "trouble", detail: `MEMOIR_TES_URL is not an address: ${url}` };
  const client = new TesClient({
    url,
    timeoutMs: limitMs,
    ...defined({ authorization: authorizationOf(env) }),
  });
  try {
    const answer = await client.service(ask);
    if (answer.kind !== "answered") return { state: "trouble", detail: `${client.url}: ${answer.words}` };
    const { name, version, storage } = answer.value;
    const places = storage.length === 0 ? "names no storage" : `storage ${storage.join(", ")}`;
    return { state: "ok", detail: `${name}, TES ${version}, ${places}` };
  } finally {
    client.close();
  }
}
