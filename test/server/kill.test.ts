/** A sample; fifty kills: `npm run soak`. */
import { describeKilledServer } from "./kill.ts";

describeKilledServer(8);
