/**
 * Small images made from local programs, since tests pull nothing from outside: busybox alone, and bash
 * with busybox. They are the same bytes on every build, so both engines give them the same id; kept between runs in the
 * temporary folder under a name that depends on what is in them.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { findProgram, type Requirement } from "./requirement.ts";

const run = promisify(execFile);

export const testImagesRequirement: Requirement = {
  name: "busybox (for test images)",
  programs: ["busybox", "bash", "curl", "tar", "ldd"],
  debianPackages: ["busybox-static", "curl"],
};

export interface TestImage {
  /** `localhost/memoir-test/busybox:1` */
  readonly reference: string;
  /** A file that `docker load` and `podman load` read. */
  readonly archive: string;
  /** The image's one layer, uncompressed. */
  readonly layer: string;
  /** The image's config, the exact bytes; their sha-256 is the image's id. */
  readonly config: string;
  /** `sha256:…` */
  readonly configDigest: string;
}

export interface TestImages {
  /** /bin/sh is busybox; nothing else but busybox. */
  readonly busybox: TestImage;
  /** /bin/bash and /bin/sh are bash; busybox for the rest. */
  readonly bash: TestImage;
  /** /bin/sh is busybox; curl, too. */
  readonly curl: TestImage;
  /** One text file and no program at all. */
  readonly empty: TestImage;
}

export async function testImages(): Promise<TestImages> {
  const busybox = ["busybox"];
  return {
    busybox: await image("busybox", [...busybox]),
    bash: await image("bash", [...busybox, "bash"]),
    curl: await image("curl", [...busybox, "curl"]),
    empty: await image("empty", []),
  };
}

/** What an image has beyond programs. */
export interface ImageContent {
  /** Its content goes to the image's root. */
  readonly tree: string;
  /** Different for different trees. */
  readonly identity: string;
  readonly env: readonly string[];
  readonly user: string;
}

/** An image for one file of tests. */
export function testImageWith(
  name: string,
  programs: readonly string[],
  content: ImageContent,
): Promise<TestImage> {
  return image(name, programs, content);
}

async function image(name: string, programs: readonly string[], content?: ImageContent): Promise<TestImage> {
  const files = programs.map(pathOf);
  const digest = createHash("sha256").update(
    `recipe 2\0${name}${content === undefined ? "" : `\0${content.identity}`}`,
  );
  for (const file of files) digest.update(readFileSync(file));
  const reference = `localhost/memoir-test/${name}:1`;
  const folder = join(tmpdir(), "memoir-test-images", `${name}-${digest.digest("hex").slice(0, 16)}`);
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true });
    const made = await mkdtemp(`${folder}-`);
    try {
      await build(made, { reference, programs: files, content });
      await rename(made, folder);
    } catch (error) {
      // Another test file was faster.
      if (!existsSync(folder)) throw error;
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  }
  const config = readFileSync(join(folder, "config.json"), "utf8");
  return {
    reference,
    archive: join(folder, "image.tar"),
    layer: join(folder, "layer.tar"),
    config,
    configDigest: `sha256:${sha256(config)}`,
  };
}

interface BuildRequest {
  readonly reference: string;
  readonly programs: readonly string[];
  readonly content: ImageContent | undefined;
}

async function build(folder: string, { reference, programs, content }: BuildRequest): Promise<void> {
  const root = join(folder, "root");
  for (const name of ["bin", "tmp", "etc", "lib64"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "etc/memoir-test"), "a test image\n");
  for (const program of programs) {
    copyFileSync(program, join(root, "bin", basename(program)));
    for (const library of await librariesOf(program)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      copyFileSync(library, join(root, library));
    }
  }
  if (existsSync(join(root, "bin/busybox"))) {
    const { stdout } = await run(join(root, "bin/busybox"), ["--list"]);
    for (const applet of stdout.trim().split("\n")) {
      const target = applet === "sh" && existsSync(join(root, "bin/bash")) ? "bash" : "busybox";
      if (!existsSync(join(root, "bin", applet))) symlinkSync(target, join(root, "bin", applet));
    }
  }
  if (content !== undefined) await cp(content.tree, root, { recursive: true, verbatimSymlinks: true });
  const plain = [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mode=go+r${content === undefined ? "" : "w"}X`,
  ];
  await run("chmod", ["1777", join(root, "tmp")]);
  await run("tar", [...plain, "-C", root, "-cf", join(folder, "layer.tar"), "."]);
  const layerDigest = sha256(readFileSync(join(folder, "layer.tar")));
  const config = JSON.stringify({
    created: "1970-01-01T00:00:00Z",
    architecture: testArchitecture(),
    os: "linux",
    config: {
      Env: ["PATH=/bin", ...(content?.env ?? [])],
      ...(content === undefined ? {} : { User: content.user }),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "memoir test image" }],
  });
  writeFileSync(join(folder, "config.json"), config);
  const named = [{ Config: "config.json", RepoTags: [reference], Layers: ["layer.tar"] }];
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(named));
  const parts = ["manifest.json", "config.json", "layer.tar"];
  await run("tar", [...plain, "-C", folder, "-cf", join(folder, "image.tar"), ...parts]);
  await rm(root, { recursive: true });
}

/** Go's name of the local architecture, as images carry it. */
export function testArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

function pathOf(program: string): string {
  const path = isAbsolute(program) ? program : findProgram(program);
  if (path === undefined) throw new Error(`test images need ${program} on PATH`);
  return path;
}

async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [program]).catch(() => ({ stdout: "" }));
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "").filter((path) => path !== "");
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
