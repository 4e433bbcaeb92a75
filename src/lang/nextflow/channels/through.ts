/** Makes the channel that an operator answers. */
import { Channel, type ChannelKind, type Consumer } from "./channel.ts";

export function through(
  source: Channel,
  kind: ChannelKind | "same",
  make: (out: Channel) => Consumer,
): Channel {
  const out = new Channel(source.network, kind === "same" ? source.kind : kind);
  source.subscribe(make(out));
  return out;
}
