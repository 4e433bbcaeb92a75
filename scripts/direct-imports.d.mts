import type { Plugin } from "esbuild";
export function directImports(folder: string): Plugin;
export function withDirectImports(text: string, path: string): string;
