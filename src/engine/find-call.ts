/**
 * A call whose inputs are objects of S3 may be recorded under the key of their contents or under that of their ETags:
 * which of them was known differs from run to run. Both say that the inputs are equal, so an entry under either is one
 * of this call. At most one other key each is asked, never all mixtures.
 */
import type { Ask, CallKey } from "../kernel/index.ts";
import type { Key } from "../keys/index.ts";
import type { CallRecorder, Found } from "./call-recorder.ts";
import type { KeyedCall } from "./identify-call.ts";

export interface FoundCall {
  readonly found: Found;
  /** The key under which it was found, or the call's own. */
  readonly key: Key;
}

export async function findCall(
  recorder: CallRecorder,
  identified: KeyedCall,
  call: string,
  ask: Ask,
): Promise<FoundCall> {
  const { key } = identified;
  const found = await recorder.find(key.key, call, ask);
  if (found.kind !== "nothing") return { found, key };
  for (const other of await otherKeys(recorder, identified, call, ask)) {
    const elsewhere = await recorder.find(other, call, ask);
    if (elsewhere.kind === "found") return { found: elsewhere, key: { ...key, key: other } };
  }
  return { found, key };
}

async function otherKeys(
  recorder: CallRecorder,
  { key, formerKey, unread }: KeyedCall,
  call: string,
  ask: Ask,
): Promise<readonly CallKey[]> {
  const keys = formerKey === undefined ? [] : [formerKey];
  return unread === true ? [...keys, ...(await recorder.equalKeys(key.key, call, ask))] : keys;
}
