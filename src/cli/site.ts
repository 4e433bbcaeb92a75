/** The folder of the built web page. */
import { fileURLToPath } from "node:url";

export function siteFolder(): string {
  return fileURLToPath(new URL("../dist/web", import.meta.url));
}
