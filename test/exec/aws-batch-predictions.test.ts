/** Predictions in slices as jobs of AWS Batch, which share no files with this machine: their image holds Memoir and the model. */
import { existsSync, readdirSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { modelFixtures, Sandbox, type Started } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { BatchBench } from "../servers/batch-bench.ts";
import { memoirImage, memoirMounts } from "../servers/memoir-image.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { testImages, testImagesRequirement } from "../servers/test-images.ts";

interface Result {
  readonly rows: number;
  readonly finished: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

const requirements = [podmanRequirement, s3Requirement, registryRequirement, testImagesRequirement];
const rows = Array.from({ length: 90 }, (_, i) => (i % 31 === 3 ? `"N, ${i}"` : `C${i % 80}`));
/** Counts characters; with an input WAIT it leaves a mark in the task's folder and waits for an answer there. */
const script = `if grep -q WAIT "$2" && [ -d /mnt/memoir/work ]; then
  touch /mnt/memoir/held
  while [ ! -e /mnt/memoir/go ]; do sleep 0.05; done
fi
awk 'NR == 1 { print "length"; next } { print length($0) }' "$2" > "$3"
`;

describeWith(requirements, "predictions on AWS Batch", () => {
  const batch = new BatchBench();
  let registry: RegistryServer;
  let box: Sandbox;
  let image = "";

  beforeAll(async () => {
    await batch.open();
    registry = await startRegistry({ auth: false });
    box = await Sandbox.create({ ...batch.environment, MEMOIR_MODEL_GUARD: "off" });
    const folder = box.path("model");
    await cp(join(modelFixtures, "slow"), folder, { recursive: true });
    await writeFile(join(folder, "model/framework/run.sh"), script);
    await box.json("fetch", folder);
    await pushImage(registry, "memoir/model", "1", await memoirImage(box.home, script));
    await pushImage(registry, "memoir/bash", "1", (await testImages()).bash);
    image = `${registry.host}/memoir/model:1`;
    await box.inputs("in.csv", rows);
    await box.json("run", "--model", "eos0slo", "-i", "in.csv", "-o", "whole.csv", "--local", "other");
  }, 2 * limitMs);
  beforeEach(() => {
    batch.server.faults.mounts = memoirMounts;
  });
  afterEach(() => {
    batch.server.behave();
    expect(batch.server.violations).toEqual([]);
  });
  afterAll(async () => {
    await box?.remove();
    await registry?.stop();
    await batch.close();
  });

  const words = (name: string, slices: number, input = "in.csv") =>
    [
      ...["run", "--model", "eos0slo", "--executor", "aws-batch", "--image", image],
      ...["--slices", String(slices), "-i", input, "-o", `${name}.csv`, "--local", name],
    ] as const;
  const leftovers = () => {
    const batches = join(box.home, "batches");
    return existsSync(batches) ? readdirSync(batches) : [];
  };
  const own = (before: number) => batch.server.jobs.slice(before);
  const isHeld = (id: string) => existsSync(`${batch.server.inside(id)}/held`);

  async function until<T>(found: () => T | undefined, run: Started): Promise<T> {
    let hasEnded = false;
    void run.ended.then(() => {
      hasEnded = true;
    });
    for (; ; await wait(20)) {
      const it = found();
      if (it !== undefined) return it;
      if (hasEnded) throw new Error(`the command ended first: ${run.err()}`);
    }
  }

  it("give what one process gives, are recorded here, and are reused the next time without a job", async () => {
    const before = batch.server.jobs.length;
    const first = await box.json<Result>(...words("first", 2));
    expect(first).toMatchObject({ rows: 90, finished: true, counts: { computed: 90, failed: 0 } });
    expect(await box.read("first.csv")).toBe(await box.read("whole.csv"));
    expect(own(before)).toHaveLength(2);
    expect(leftovers()).toEqual([]);
    expect(await box.json<Result>(...words("first", 2))).toMatchObject({
      counts: { computed: 0, reusedLocal: 90 },
    });
    expect(own(before)).toHaveLength(2);
  });

  it("are recorded by the jobs themselves in a cloud cache on S3, by the role of the job", async () => {
    batch.server.faults.roleForTasks = true;
    const cloud = `${batch.workPrefix}-cloud`;
    const ran = await box.json<Result>(...words("role", 2), "--cache-only", "--cloud", cloud);
    expect(ran).toMatchObject({ counts: { computed: 90 } });
    expect(await box.read("role.csv")).toBe(await box.read("whole.csv"));
    const again = ["--model", "eos0slo", "-i", "in.csv", "-o", "again.csv", "--local", "none"] as const;
    expect(await box.json<Result>("run", ...again, "--cloud", cloud, "--cloud-cache-only")).toMatchObject({
      counts: { reusedCloud: 90, missing: 0 },
    });
  });

  it("are recorded here in the cloud cache where the job has no access to it", async () => {
    const cloud = `${batch.workPrefix}-cloud-2`;
    await box.inputs("few.csv", rows.slice(0, 5));
    await box.json<Result>(...words("no-role", 1, "few.csv"), "--cache-only", "--cloud", cloud);
    const again = ["--model", "eos0slo", "-i", "few.csv", "-o", "again.csv", "--local", "none"] as const;
    expect(await box.json<Result>("run", ...again, "--cloud", cloud, "--cloud-cache-only")).toMatchObject({
      counts: { reusedCloud: 5 },
    });
  });

  it("have every row once although a job was taken away and Memoir was killed", async () => {
    await box.inputs("wait.csv", [...rows, "WAIT"]);
    await box.json("run", "--model", "eos0slo", "-i", "wait.csv", "-o", "plain.csv", "--local", "other");
    const before = batch.server.jobs.length;
    const first = box.start(...words("killed", 2, "wait.csv"));
    const held = await until(() => own(before).find(({ id }) => isHeld(id)), first);
    await batch.server.end(held.id, "Host EC2 (instance i-0123) terminated.");
    const second = await until(() => own(before).find(({ id }) => id !== held.id && isHeld(id)), first);
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(box.path("killed.csv"))).toBe(false);
    const next = box.json<Result>(...words("killed", 2, "wait.csv"));
    await batch.leaveIn(second.id, "go");
    expect(await next).toMatchObject({ rows: 91, counts: { computed: 91, failed: 0 } });
    expect(await box.read("killed.csv")).toBe(await box.read("plain.csv"));
    expect(own(before)).toHaveLength(3);
    expect(leftovers()).toEqual([]);
  });

  it("end with the job's words where the image holds no Memoir", async () => {
    const { code, err } = await box.run(
      ...words("absent", 1).map((word) => (word === image ? `${registry.host}/memoir/bash:1` : word)),
    );
    expect([code, err]).toEqual([1, expect.stringContaining("has no command memoir")]);
  });

  it.each([
    ["an image that is not there", { image: "none" }, "EXEC_IMAGE_NOT_FOUND"],
    ["a disabled queue", { state: "DISABLED" }, "is disabled"],
    ["a bucket that is not there", { prefix: "s3://memoir-none/work" }, "STORE_"],
  ])("name %s at once, and leave nothing", async (_, fault, named) => {
    const { image: absent, prefix, state } = fault as Readonly<Record<string, string>>;
    const before = batch.server.jobs.length;
    if (state !== undefined) batch.server.queue.state = state;
    const [kept, others] = [leftovers(), own(before)];
    const given = words("named", 2).map((word) =>
      word === image && absent !== undefined ? `${registry.host}/memoir/${absent}:1` : word,
    );
    const { code, err } = await box.run(...given, ...(prefix === undefined ? [] : ["--work-prefix", prefix]));
    expect([code === 0, err]).toEqual([false, expect.stringContaining(named)]);
    expect([leftovers(), own(before)]).toEqual([kept, others]);
  });

  it("need an image, which others do not take", async () => {
    const without = words("no", 2).filter((word) => word !== "--image" && word !== image);
    expect(await box.run(...without)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--image IMAGE"),
    });
    const lone = await box.run("run", "--model", "eos0slo", "-i", "in.csv", "-o", "x.csv", "--image", "a");
    expect([lone.code, lone.err]).toEqual([2, expect.stringContaining("--image goes with --executor")]);
  });
});
