/** files: making folders, what a folder holds, and where paths lead. */
export { followLinks } from "./follow-links.ts";
export { makeFolders, makeFoldersSync } from "./make-folders.ts";
export { isProgram, notRegular, readTree, realPathOf } from "./tree.ts";
