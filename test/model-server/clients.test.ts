/** A sample of `clients.soak.ts`. */
import { soaksModelServer } from "./soak.ts";

soaksModelServer({ clients: 20, requests: 4, molecules: 10, pool: 80, kills: 2 });
