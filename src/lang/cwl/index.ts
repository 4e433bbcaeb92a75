/** lang/cwl: the CWL front end. */
export { cwlKind } from "./kind.ts";

/** Loaded when used, as the front end itself is. */
export const runnerParts = () => import("./runner-parts.ts");
