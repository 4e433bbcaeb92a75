/** An output that goes to a stream as it is made: nothing is kept of it, so nothing can be resumed. */
import type { OutputRows } from "./output-rows.ts";

/** Where rows go. `write` answers when the reader has room for more; throws OUTPUT_READER_GONE when it went away. */
export interface RowStream {
  write(text: string): Promise<void>;
}

export function streamOutput(path: string, stream: RowStream): OutputRows {
  return {
    path,
    resumable: undefined,
    restart: async () => {},
    write: async (text) => {
      if (text !== "") await stream.write(text);
    },
    checkpoint: async () => {},
    finish: async () => {},
    abandon: async () => {},
  };
}
