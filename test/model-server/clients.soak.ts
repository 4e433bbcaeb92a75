import { soaksModelServer } from "./soak.ts";

soaksModelServer({ clients: 20, requests: 100, molecules: 30, pool: 1_500, kills: 25 });
