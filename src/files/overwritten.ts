/** Inputs that are passed on as outputs may lie where other outputs go. */
import { realPathOfSync } from "./tree.ts";

/** Of those that are there. */
export function realPathsOf(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => realPathIfThere(path) ?? []);
}

/** Which of the sources would be lost, or be another one, if `target` was replaced by a copy of `source`. */
export function overwritten(target: string, source: string, sources: readonly string[]): string | undefined {
  const there = realPathIfThere(target);
  if (there === undefined || there === realPathIfThere(source)) return undefined;
  return sources.find(
    (each) => each === there || each.startsWith(`${there}/`) || there.startsWith(`${each}/`),
  );
}

function realPathIfThere(path: string): string | undefined {
  try {
    return realPathOfSync(path);
  } catch {
    return undefined;
  }
}
