/** `set { name }`: gives the channel a name in the workflow. */
import { capturedName } from "../captured-name.ts";
import { neededClosure, type Operator } from "../operator.ts";

export const set: Operator = (source, given) => {
  source.network.assign(capturedName(neededClosure(given, "set")), source);
  return null;
};
