/** web-mount: the files of the web page, and the links that sign in. Knows nothing of what the page shows. */
export { createWebMounts, type WebParts } from "./web-mounts.ts";
