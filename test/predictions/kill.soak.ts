import { describeKilledWriters } from "./kill.ts";

describeKilledWriters({ kills: 60, rows: 1001 }, { kills: 45, rows: 1001 });
