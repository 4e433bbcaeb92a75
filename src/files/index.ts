/** files: making folders, what a folder holds, and where paths lead. */
export { bringFolder } from "./bring-folder.ts";
export { ConfinedFolder, type HeldFolder, withHeldFile } from "./confined-folder.ts";
export { copyTree, spreadTree } from "./copy-tree.ts";
export { followLinks } from "./follow-links.ts";
export { makeFolders, makeFoldersSync } from "./make-folders.ts";
export { type DirectoryMember, materialiseDirectory, placeLink } from "./materialise.ts";
export { realPathsOf, refuseOverwriting } from "./overwritten.ts";
export { replaceByCopy } from "./replace-by-copy.ts";
export {
  isOwn,
  isProgram,
  linkTarget,
  namesIn,
  notRegular,
  readTree,
  realPathOf,
  realPathOfSync,
  whatItIs,
} from "./tree.ts";
