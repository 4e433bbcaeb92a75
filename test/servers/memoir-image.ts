/**
 * An image that holds Memoir and a model, for services that run predictions as tasks: Node.js and the model are in it; the built
 * command and its libraries are mounted from this checkout, where a release has them in the image as well.
 */
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TestImage, testImageWith } from "./test-images.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** For containers of that image. */
export const memoirMounts: readonly string[] = ["dist", "node_modules"].map(
  (name) => `${join(root, name)}:/opt/memoir/${name}:ro`,
);

/**
 * @param models home folder with the installed model
 * @param identity different for different models
 */
export async function memoirImage(models: string, identity: string): Promise<TestImage> {
  const tree = await mkdtemp(join(tmpdir(), "memoir-test-tree-"));
  try {
    await mkdir(join(tree, "bin"), { recursive: true });
    await mkdir(join(tree, "opt/memoir"), { recursive: true });
    await writeFile(join(tree, "opt/memoir/package.json"), '{ "type": "module" }\n');
    const command = join(tree, "bin/memoir");
    await writeFile(command, '#!/bin/sh\nexec node /opt/memoir/dist/memoir.js "$@"\n');
    await chmod(command, 0o755);
    await cp(models, join(tree, "var/memoir"), { recursive: true, verbatimSymlinks: true });
    return await testImageWith("memoir", ["busybox", "bash", process.execPath], {
      tree,
      identity,
      env: ["MEMOIR_HOME=/var/memoir", "HOME=/var/memoir", "MEMOIR_MODEL_GUARD=off"],
      user: "1000:1000",
    });
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
