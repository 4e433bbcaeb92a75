/** The flags of the hub's list of models. */
import type { OptionSpec } from "./command.ts";

export const hubListOption: OptionSpec = {
  flags: "--hub-list <place>",
  description: "the list of the hub's models: a file, a URL or s3://bucket/key",
  default: "MEMOIR_HUB, else the one that Ersilia publishes",
};
