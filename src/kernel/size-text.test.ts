import { expect, it } from "vitest";
import { sizeText } from "./size-text.ts";

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [99.96 * 1024, "100 KiB"],
  [150 * 2 ** 20, "150 MiB"],
  [2 ** 20 - 1, "1 MiB"],
  [2 ** 30 - 1, "1 GiB"],
  [50 * 2 ** 20, "50 MiB"],
  [2 ** 40, "1 TiB"],
  [5000 * 2 ** 40, "5000 TiB"],
])("%d bytes are shown as %s", (bytes, text) => expect(sizeText(bytes)).toBe(text));
