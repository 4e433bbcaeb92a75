/** Programs of models write into their working folder only; isolated they see no network and no other files. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createUnixServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { bubblewrapRequirement } from "../servers/bubblewrap.ts";
import { describeWith } from "../servers/requirement.ts";

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await Sandbox.create();
});
afterEach(() => sandbox.remove());

/** A model whose answer for each input is what this shell text prints. */
async function model(text: string): Promise<string> {
  const folder = sandbox.path("model");
  const framework = join(folder, "model", "framework");
  await mkdir(join(framework, "columns"), { recursive: true });
  await writeFile(join(folder, "metadata.yml"), "Identifier: eos0grd\nSlug: guarded\nRelease: v1\n");
  await writeFile(
    join(framework, "columns", "run_columns.csv"),
    "name,type,direction,description\nsaid,string,,\n",
  );
  const run = join(framework, "run.sh");
  await writeFile(
    run,
    `said=$( { ${text}\n} 2>/dev/null | tr '\\n' ' ' )\nawk -v said="$said" 'NR == 1 { print "said"; next } { print said }' "$2" > "$3"\n`,
  );
  await chmod(run, 0o755);
  return folder;
}

async function answer(folder: string, ...flags: readonly string[]): Promise<string> {
  await sandbox.inputs("in.csv", ["CCO"]);
  const words = ["--model", folder, "--local", `cache-${flags.join("")}`, "-i", "in.csv", "-o", "out.csv"];
  await sandbox.json("run", ...words, ...flags);
  const [row = ""] = await sandbox.rows("out.csv");
  return row.slice("CCO,".length);
}

describeWith([bubblewrapRequirement], "programs of a model", () => {
  it("cannot write over the user's files and over the input", async () => {
    await sandbox.write("notes.txt", "mine\n");
    const folder = await model(
      `for each in "${sandbox.path("notes.txt")}" "${sandbox.path("in.csv")}" "$HOME/.memoir-guard-test"; do
         echo harm >> "$each" && printf 'wrote %s ' "$each"
       done; rm -f "${sandbox.path("notes.txt")}"; echo done`,
    );
    const home = sandbox.with({ HOME: sandbox.path("user") });
    await mkdir(sandbox.path("user"));
    await sandbox.inputs("in.csv", ["CCO"]);
    await home.json("run", "--model", folder, "-i", "in.csv", "-o", "out.csv");
    expect(await sandbox.rows("out.csv")).toEqual(["CCO,done"]);
    expect(await sandbox.read("notes.txt")).toBe("mine\n");
    expect(await sandbox.read("in.csv")).toBe("smiles\nCCO\n");
    expect(existsSync(sandbox.path("user/.memoir-guard-test"))).toBe(false);
  });

  it("read the user's environments and files, and write into their folder, the working folder, /tmp and TMPDIR", async () => {
    await sandbox.write("user/cache.txt", "weights ");
    await sandbox.write("notes.txt", "notes");
    const folder = await model(
      `cat "$HOME/cache.txt"; cat "${sandbox.path("notes.txt")}"; echo a > here && echo a > "$1/kept" && echo b > /tmp/there && echo c > "$TMPDIR/more" && echo " wrote"`,
    );
    const home = sandbox.with({ HOME: sandbox.path("user") });
    await sandbox.inputs("in.csv", ["CCO"]);
    await home.json("run", "--model", folder, "-i", "in.csv", "-o", "out.csv");
    expect(await sandbox.rows("out.csv")).toEqual(["CCO,weights notes wrote"]);
    expect(existsSync("/tmp/there")).toBe(false);
    expect(await sandbox.read("model/model/framework/kept")).toBe("a\n");
  });

  it("cannot reach the user's files by sockets, disks, mounts and namespaces", async () => {
    await sandbox.write("notes.txt", "mine\n");
    const agents = await mkdtemp("/tmp/memoir-agent-");
    const docker = sandbox.path("docker.sock");
    const listening = [join(agents, "agent"), docker].map((path) => {
      const server = createUnixServer((socket) => socket.end("at your service\n"));
      server.listen(path);
      return server;
    });
    await Promise.all(listening.map((server) => once(server, "listening")));
    const notes = sandbox.path("notes.txt");
    const ask = (path: string) =>
      `perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Peer => "${path}"); print <$s> if $s'`;
    const folder = await model(`
      ${ask(join(agents, "agent"))}
      ${ask(docker)}
      for each in /run/*.sock /run/*/*.sock /dev/sd* /dev/vd* /dev/loop* /dev/nvme* /dev/mem; do test -e $each && echo "sees $each"; done
      mknod disk b 7 0 && head -c 1 disk
      mount -o remount,rw / && echo remounted
      mount -o remount,rw,bind "${sandbox.folder}" && echo remounted
      unshare --user --map-root-user --mount sh -c 'mount -o remount,rw,bind /; mount -o remount,rw,bind "${sandbox.folder}"; echo harm >> "${notes}"'
      ln "${notes}" linked && echo harm >> linked
      ln -s "${notes}" named && echo harm >> named
      cat /proc/sys/kernel/core_pattern > pattern; cat pattern > /proc/sys/kernel/core_pattern && echo "changed the kernel"
      chmod 777 "${notes}" && echo "changed the mode"
      mv "${notes}" "${notes}.away" && echo moved
      echo done`);
    try {
      await sandbox.inputs("in.csv", ["CCO"]);
      const words = ["--model", folder, "-i", "in.csv", "-o", "out.csv"];
      await sandbox.with({ DOCKER_HOST: `unix://${docker}` }).json("run", ...words);
      expect(await sandbox.rows("out.csv")).toEqual(["CCO,done"]);
      expect(await sandbox.read("notes.txt")).toBe("mine\n");
    } finally {
      for (const server of listening) server.close();
      await rm(agents, { recursive: true });
    }
  });

  it("find the environments that variables name in /tmp, however much else is there", async () => {
    const many = await mkdtemp("/tmp/memoir-many-");
    await mkdir(join(many, "lib/site"), { recursive: true });
    await writeFile(join(many, "lib/site/module"), "imported");
    const folder = await model(
      `cat "\${PYTHONPATH#*:}/module"; echo a > "\${PYTHONPATH#*:}/new" || echo " only"`,
    );
    try {
      await sandbox.inputs("in.csv", ["CCO"]);
      const words = ["--model", folder, "-i", "in.csv", "-o", "out.csv"];
      await sandbox.with({ PYTHONPATH: `/nowhere:${join(many, "lib/site")}` }).json("run", ...words);
      expect(await sandbox.rows("out.csv")).toEqual(["CCO,imported only"]);
    } finally {
      await rm(many, { recursive: true });
    }
  });

  it.each([
    ["a link to another file", 'ln -sf /etc/passwd "$3"'],
    ["a pipe", 'rm -f "$3"; mkfifo "$3"'],
  ])("whose output is %s have failed", async (_, text) => {
    const folder = await model(":");
    await writeFile(join(folder, "model/framework/run.sh"), `${text}\n`);
    await sandbox.inputs("in.csv", ["CCO"]);
    const { code, err } = await sandbox.run("run", "--model", folder, "-i", "in.csv", "-o", "out.csv");
    expect(code).not.toBe(0);
    expect(err).toContain("its output is not a regular file");
  });

  it("say why where a model must write elsewhere, and may with --no-guard", async () => {
    const folder = await model(":");
    const run = join(folder, "model/framework/run.sh");
    await writeFile(
      run,
      `set -e\necho x > "${sandbox.path("state")}"\nawk 'NR == 1 { print "said"; next } { print "yes" }' "$2" > "$3"\n`,
    );
    await sandbox.inputs("in.csv", ["CCO"]);
    const refused = await sandbox.run("run", "--model", folder, "-i", "in.csv", "-o", "out.csv");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("--no-guard lifts this");
    expect(await answer(folder, "--no-guard")).toBe("yes");
  });

  it("isolated: see the system and the model, but neither other files nor the network", async () => {
    await sandbox.write("secret.txt", "secret");
    const server = createServer((_, response) => response.end("reached"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const folder = await model(
      `cat "${sandbox.path("secret.txt")}"; (exec 3<>/dev/tcp/127.0.0.1/${port} && echo network); test -r "$1/run.sh" && echo model`,
    );
    try {
      expect(await answer(folder, "--isolate")).toBe("model");
      expect(await answer(folder, "--no-guard")).toContain("secret");
    } finally {
      server.close();
    }
  });

  it("isolated where bubblewrap is missing: the command ends and nothing is run", async () => {
    const folder = await model("echo ran");
    await sandbox.inputs("in.csv", ["CCO"]);
    await mkdir(sandbox.path("bin"));
    await sandbox.shell(
      `for each in bash awk tr sh env mkfifo cat sleep rm mkdir; do ln -s "$(command -v $each)" bin/$each; done`,
    );
    const without = sandbox.with({ PATH: sandbox.path("bin") });
    const { code, err } = await without.run(
      "run",
      "--model",
      folder,
      "-i",
      "in.csv",
      "-o",
      "out.csv",
      "--isolate",
    );
    expect([code, err]).toEqual([4, expect.stringContaining("EXEC_ISOLATION_UNAVAILABLE")]);
    const warned = await without.run("run", "--model", folder, "-i", "in.csv", "-o", "out.csv");
    expect([warned.code, warned.err]).toEqual([0, expect.stringContaining("not guarded here")]);
  });
});
