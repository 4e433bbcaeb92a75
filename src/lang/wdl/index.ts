/** lang/wdl: the WDL front end. */
export { wdlKind } from "./kind.ts";
