/**
 * Images with the names that the suites use, made from the local machine's programs, for runs where no registry can be
 * reached: bash, the usual commands and Python, with a layer on top that names the release as Ubuntu does.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../servers/requirement.ts";
import { sha256, testArchitecture } from "../servers/test-images.ts";

const run = promisify(execFile);

export interface StandIn {
  /** Code name of the release that it pretends to be. */
  readonly release: string;
  /** A program of the image that runs every command. */
  readonly entrypoint?: string;
}

const names: Readonly<Record<string, StandIn>> = {
  "docker.io/library/ubuntu:latest": { release: "noble" },
  "docker.io/library/ubuntu:24.04": { release: "noble" },
  "docker.io/library/ubuntu:focal": { release: "focal" },
  "docker.io/library/python:latest": { release: "bookworm" },
  "docker.io/library/debian:latest": { release: "bookworm" },
};

const bashEntrypoint = "run-with-bash";

/** What the suites of CWL name. The images of bash run what begins with `-` as options of bash, as the real ones do. */
export const cwlNames: Readonly<Record<string, StandIn>> = Object.fromEntries(
  [
    ..."debian:stable-slim debian:stretch-slim python:3-slim python:3 python:2-slim".split(" "),
    ..."python:2.7.15-alpine3.7 bash:4.4 bash:4.4.12 alpine:latest".split(" "),
  ].map((name) => [
    `docker.io/library/${name}`,
    { release: "bookworm", ...(name.startsWith("bash:") ? { entrypoint: bashEntrypoint } : {}) },
  ]),
);

/** What Nextflow's scripts with checks name, where common programs suffice. */
export const nextflowNames: Readonly<Record<string, StandIn>> = {
  "quay.io/nextflow/bash:latest": { release: "bookworm" },
};

const programs = [
  ..."awk base64 basename bash bc cat chmod cp cut date df diff dirname du echo env expr false file find".split(
    " ",
  ),
  ..."findmnt free grep gzip head hostname id jq ln ls md5sum mkdir mktemp mv nproc paste printf printenv ps pwd".split(
    " ",
  ),
  ..."readlink realpath rev rm rmdir sed seq sha256sum sh shuf sleep sort split stat tac tail tar tee test".split(
    " ",
  ),
  ..."touch tr true uname uniq wc which whoami xargs yes".split(" "),
];

/**
 * The same bytes on every run, so that results of one run are reused by the next. `env` leads Podman to the storage that
 * the images are put into; `folder` is a place for the files, removed after.
 */
export async function makeStandInImages(
  env: Readonly<Record<string, string>>,
  folder: string,
  wanted = names,
): Promise<void> {
  try {
    const root = join(folder, "root");
    await makeRoot(root);
    const base = await layerOf(root, join(folder, "base.tar"));
    const manifest: { Config: string; RepoTags: string[]; Layers: string[] }[] = [];
    for (const [name, { release, entrypoint }] of Object.entries(wanted)) {
      const own = join(folder, release);
      await mkdir(join(own, "etc"), { recursive: true });
      await writeFile(join(own, "etc/lsb-release"), `DISTRIB_ID=Ubuntu\nDISTRIB_CODENAME=${release}\n`);
      const layer = await layerOf(own, join(folder, `${release}.tar`));
      const config = JSON.stringify({
        created: "1970-01-01T00:00:00Z",
        architecture: testArchitecture(),
        os: "linux",
        config: { Env: ["PATH=/usr/bin"], ...(entrypoint === undefined ? {} : { Entrypoint: [entrypoint] }) },
        rootfs: { type: "layers", diff_ids: [base, layer] },
        history: [base, layer].map(() => ({ created: "1970-01-01T00:00:00Z", created_by: "stand-in" })),
      });
      const file = `${sha256(config)}.json`;
      await writeFile(join(folder, file), config);
      const known = manifest.find((each) => each.Config === file);
      if (known !== undefined) known.RepoTags.push(name);
      else manifest.push({ Config: file, RepoTags: [name], Layers: ["base.tar", `${release}.tar`] });
    }
    await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
    const parts = new Set(["manifest.json", ...manifest.flatMap((each) => [each.Config, ...each.Layers])]);
    await run("tar", ["-C", folder, "-cf", join(folder, "images.tar"), ...parts]);
    await run("podman", ["load", "--quiet", "--input", join(folder, "images.tar")], { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Packs a folder so that equal content gives equal bytes; answers their digest. */
async function layerOf(folder: string, path: string): Promise<string> {
  const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", [...plain, "-C", folder, "-cf", path, "."]);
  return `sha256:${sha256(await readFile(path))}`;
}

async function makeRoot(root: string): Promise<void> {
  for (const name of ["usr/bin", "usr/lib", "usr/lib64", "tmp", "etc", "root", "var/tmp"])
    await mkdir(join(root, name), { recursive: true });
  // As on Debian since 2022; dynamic loaders and `#!/bin/sh` are found below /usr.
  for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, join(root, name));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n");
  await writeFile(join(root, "root/.bashrc"), "");
  const starter = `#!/bin/bash\ncase "\${1-}" in -*) exec bash "$@" ;; esac\nexec "$@"\n`;
  await writeFile(join(root, "usr/bin", bashEntrypoint), starter, { mode: 0o755 });
  const files = programs.map((name) => findProgram(name)).filter((path) => path !== undefined);
  await copyWithLibraries(root, files);
  await copyPython(root);
}

async function copyWithLibraries(root: string, files: readonly string[]): Promise<void> {
  const { stdout } = await run("ldd", [...files], { maxBuffer: 2 ** 26 }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
  );
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  for (const file of new Set([...files, ...libraries])) {
    const place = /^\/(usr|s?bin|lib)/.test(file)
      ? file
      : `/usr/bin/${file.slice(file.lastIndexOf("/") + 1)}`;
    const target = join(root, place.replace(/^\/(bin|lib|lib64)\//, "/usr/$1/").replace("/sbin/", "/bin/"));
    await mkdir(dirname(target), { recursive: true });
    await cp(file, target, { dereference: true });
  }
}

/** The system's Python with the modules that scripts use; tests and installed packages stay away. */
async function copyPython(root: string): Promise<void> {
  const python = "/usr/bin/python3";
  const { stdout } = await run(python, ["-c", "import sysconfig; print(sysconfig.get_paths()['stdlib'])"]);
  const library = stdout.trim();
  const unwanted =
    /\/(__pycache__|test|tests|idlelib|lib2to3|ensurepip|turtledemo|config-[^/]*|dist-packages)$/;
  await cp(library, join(root, library), {
    recursive: true,
    dereference: true,
    filter: (path) => !unwanted.test(path),
  });
  const { stdout: modules } = await run("find", [join(library, "lib-dynload"), "-name", "*.so"]);
  await copyWithLibraries(root, [python, ...modules.trim().split("\n")]);
  await symlink("python3", join(root, "usr/bin/python"));
}
