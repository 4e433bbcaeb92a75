/** files: what every part that writes files needs. */
export { makeFolders, makeFoldersSync } from "./make-folders.ts";
