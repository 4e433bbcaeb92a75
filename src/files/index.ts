/** files: making folders, and what a folder holds. */
export { makeFolders, makeFoldersSync } from "./make-folders.ts";
export { isProgram, notRegular, readTree, realPathOf } from "./tree.ts";
