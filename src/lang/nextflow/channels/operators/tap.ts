/** `tap { name }`: gives the channel a name, and answers the same channel. */
import { capturedName } from "../captured-name.ts";
import { neededClosure, type Operator } from "../operator.ts";

export const tap: Operator = (source, given) => {
  source.network.assign(capturedName(neededClosure(given, "tap")), source);
  return source;
};
