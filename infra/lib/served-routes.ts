/** The routes behind the gateway: all of the job API that only read. Rows are stored by workers, with their own role. */
import { routes } from "../../src/jobs/index.ts";

const writing: readonly string[] = ["putRows", "dropRows"];

export const servedRoutes = routes
  .filter(({ name }) => !writing.includes(name))
  .map(({ name, method, path }) => ({ name, method, path }));
