/** lang/wdl: the WDL front end. */
export { createWdlFrontEnd } from "./front-end.ts";
