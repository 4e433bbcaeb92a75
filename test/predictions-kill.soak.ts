import { describeKilledWriters } from "./predictions-kill.ts";

describeKilledWriters({ kills: 60, rows: 1001 }, { kills: 45, rows: 1001 });
