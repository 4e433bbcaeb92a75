import { describeKilledServer } from "./kill.ts";

describeKilledServer(50);
