/** The handlers of the bundle. */
export { front } from "./front.ts";
export { worker } from "./worker.ts";
