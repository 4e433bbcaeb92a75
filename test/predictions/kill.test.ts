/** A sample; a hundred kills: `npm run soak`. */
import { describeKilledWriters } from "./kill.ts";

describeKilledWriters({ kills: 12, rows: 200 }, { kills: 12, rows: 200 });
