/** Pinning of image names, on a real registry and real engines. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContainerExecutor } from "../../src/exec/container/container-executor.ts";
import type { ContainerEngine } from "../../src/exec/container/engine.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import type { ImageResolver } from "../../src/exec/core/index.ts";
import { createImageResolver } from "../../src/exec/images/image-resolver.ts";
import { freshAsk, isAppError } from "../../src/kernel/index.ts";
import { dockerRequirement, startDocker } from "../servers/docker.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import {
  pushImage,
  pushIndex,
  type RegistryServer,
  registryRequirement,
  registryUser,
  startRegistry,
  variantOf,
} from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import {
  type TestImages,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";

const ask = freshAsk();
const platform = `linux/${testArchitecture()}`;
const other = testArchitecture() === "arm64" ? "amd64" : "arm64";

for (const { requirement, start, title } of [
  { requirement: podmanRequirement, start: startPodman, title: "Podman" },
  { requirement: dockerRequirement, start: startDocker, title: "Docker" },
]) {
  describeWith([requirement, registryRequirement, testImagesRequirement], `image names with ${title}`, () => {
    let home: string;
    let server: TestEngine;
    let engine: ContainerEngine;
    let open: RegistryServer;
    let guarded: RegistryServer;
    let images: TestImages;

    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "memoir-registry-"));
      [server, open, guarded, images] = await Promise.all([
        start(),
        startRegistry({ auth: false }),
        startRegistry({ auth: true }),
        testImages(),
      ]);
      engine = await findEngine({ engine: server.kind, env: server.env, home }, ask);
    });

    afterAll(async () => {
      await engine?.close();
      await Promise.all([server?.stop(), open?.stop(), guarded?.stop()]);
      await rm(home, { recursive: true, force: true });
    });

    /** Credentials as `docker login` leaves them; undefined = never logged in. */
    async function withLogin(
      password: string | undefined,
    ): Promise<{ env: Record<string, string>; home: string }> {
      const folder = await mkdtemp(join(home, "login-"));
      if (password !== undefined) {
        await mkdir(join(folder, ".docker"));
        const auth = Buffer.from(`${registryUser.username}:${password}`).toString("base64");
        const auths = { [guarded.host]: { auth } };
        await writeFile(join(folder, ".docker/config.json"), JSON.stringify({ auths }));
      }
      return { env: { PATH: process.env["PATH"] ?? "" }, home: folder };
    }

    async function resolver(password?: string): Promise<ImageResolver> {
      const credentials = await withLogin(password);
      const store = new ImageStore({ engine, credentials });
      return createImageResolver({ store, platform: engine.facts.platform, credentials, retryPauseMs: 1 });
    }

    async function codeOf(work: Promise<unknown>): Promise<string> {
      const error = await work.catch((thrown: unknown) => thrown);
      return isAppError(error) ? `${error.code}: ${error.message}` : `no AppError: ${String(error)}`;
    }

    it("takes a tag to this platform's manifest and config", async () => {
      const pushed = await pushImage(open, "lab/tool", "1", images.busybox);
      expect(await (await resolver()).pin(`${open.host}/lab/tool:1`, ask)).toEqual({
        requested: `${open.host}/lab/tool:1`,
        reference: `${open.host}/lab/tool@${pushed.manifestDigest}`,
        platform,
        configDigest: images.busybox.configDigest,
        manifestDigest: pushed.manifestDigest,
      });
    });

    it("chooses this platform's image from an index, whatever else is in it", async () => {
      const own = await pushImage(open, "lab/multi", undefined, images.busybox);
      const foreign = variantOf(images.busybox, { architecture: other });
      const pushed = await pushImage(open, "lab/multi", undefined, foreign);
      const record = { ...pushed, platform: { os: "unknown", architecture: "unknown" } };
      const one = await pushIndex(open, "lab/multi", "1", [record, pushed, own]);
      const two = await pushIndex(open, "lab/multi", "2", [own, pushed]);
      expect(one).not.toBe(two);
      const first = await (await resolver()).pin(`${open.host}/lab/multi:1`, ask);
      const second = await (await resolver()).pin(`${open.host}/lab/multi:2`, ask);
      const byIndex = await (await resolver()).pin(`${open.host}/lab/multi@${one}`, ask);
      for (const pinned of [first, second, byIndex])
        expect(pinned).toMatchObject({
          manifestDigest: own.manifestDigest,
          configDigest: images.busybox.configDigest,
          platform,
        });
    });

    it("reports what an image runs by default, without pulling it", async () => {
      const config = { Env: ["PATH=/bin"], Entrypoint: ["/bin/sh", "-u"], Cmd: ["-c", "true"] };
      const tool = variantOf(images.busybox, { config });
      const own = await pushImage(open, "lab/starts", "one", tool);
      await pushIndex(open, "lab/starts", "many", [own]);
      for (const tag of ["one", "many"]) {
        const images = await resolver();
        const pinned = await images.pin(`${open.host}/lab/starts:${tag}`, ask);
        expect(await images.startOf(pinned, ask)).toEqual({
          entrypoint: ["/bin/sh", "-u"],
          command: ["-c", "true"],
        });
        expect(await engine.image(pinned.reference, ask)).toBeUndefined();
      }
    });

    it("says which platforms an index has when ours is not among them", async () => {
      const foreign = variantOf(images.busybox, { architecture: other });
      const pushed = await pushImage(open, "lab/foreign", undefined, foreign);
      await pushIndex(open, "lab/foreign", "1", [pushed]);
      const refusal = await codeOf((await resolver()).pin(`${open.host}/lab/foreign:1`, ask));
      expect(refusal).toContain("EXEC_IMAGE_NOT_FOUND");
      expect(refusal).toContain(`is available for linux/${other}, not for ${platform}`);
    });

    it("sees one identity in every repository, tag and format", async () => {
      await pushImage(open, "here/a", "x", images.bash, "oci");
      await pushImage(open, "there/b", "y", images.bash, "docker");
      await pushImage(guarded, "elsewhere/c", "z", images.bash, "docker");
      const names = [`${open.host}/here/a:x`, `${open.host}/there/b:y`, `${guarded.host}/elsewhere/c:z`];
      const pinned = await Promise.all(names.map(async (name) => (await resolver()).pin(name, ask)));
      expect(new Set(pinned.map((pin) => pin.configDigest))).toEqual(new Set([images.bash.configDigest]));
      expect(new Set(pinned.map((pin) => pin.manifestDigest)).size).toBe(2);
    });

    it("pins a tag once in a resolver and again in the next, and the old pin still runs", async () => {
      const name = `${open.host}/lab/moving:latest`;
      await pushImage(open, "lab/moving", "latest", images.busybox);
      const first = await resolver();
      const before = await first.pin(name, ask);
      await pushImage(open, "lab/moving", "latest", variantOf(images.busybox, { note: "rebuilt" }));
      expect(await first.pin(name, ask)).toEqual(before);
      const after = await (await resolver()).pin(name, ask);
      expect(after.configDigest).not.toBe(before.configDigest);
      expect(after.manifestDigest).not.toBe(before.manifestDigest);
      expect(await (await resolver()).pin(before.reference, ask)).toMatchObject({
        configDigest: before.configDigest,
      });
    });

    it("pulls by digest and runs the image that was pinned", async () => {
      await pushImage(open, "lab/run", "1", images.bash);
      const image = await (await resolver()).pin(`${open.host}/lab/run:1`, ask);
      const lines: string[] = [];
      const credentials = await withLogin(undefined);
      const store = new ImageStore({ engine, credentials, onPull: (_reference, line) => lines.push(line) });
      const executor = createContainerExecutor({
        engine: { ...engine, close: async () => {} },
        images: store,
      });
      await executor.open(ask);
      const directory = await mkdtemp(join(home, "attempt-"));
      await writeFile(join(directory, "command"), "[[ -n $BASH_VERSION ]] && exit 9");
      const attempt = {
        id: `registry-${server.kind}-${process.pid}`,
        directory,
        shell: ["/bin/bash"],
        inputs: [],
        env: {},
        image,
        resources: { cpu: 1, memoryBytes: 0, gpu: 0 },
        network: false,
        labels: {},
      };
      await executor.start(attempt, ask);
      expect(await executor.wait(attempt, ask)).toMatchObject({ kind: "exited", exitCode: 9 });
      await executor.remove(attempt, ask);
      await executor.close();
      expect(lines.length).toBeGreaterThan(0);
      expect((await engine.image(image.reference, ask))?.id).toBe(image.configDigest);
    });

    it("gets a token without an account for a public repository behind authentication", async () => {
      await pushImage(guarded, "public/tool", "1", images.busybox);
      const before = guarded.tokenRequests.length;
      const pinned = await (await resolver()).pin(`${guarded.host}/public/tool:1`, ask);
      expect(pinned.configDigest).toBe(images.busybox.configDigest);
      // One token serves all requests for the repository.
      expect(guarded.tokenRequests.slice(before)).toEqual(["- repository:public/tool:pull"]);
    });

    it("uses the stored account for a private repository, also to pull", async () => {
      await pushImage(guarded, "private/tool", "1", images.busybox);
      const pinned = await (await resolver(registryUser.password)).pin(`${guarded.host}/private/tool:1`, ask);
      expect(pinned.configDigest).toBe(images.busybox.configDigest);
      const credentials = await withLogin(registryUser.password);
      await new ImageStore({ engine, credentials }).pull(pinned.reference, ask);
      expect((await engine.image(pinned.reference, ask))?.id).toBe(images.busybox.configDigest);
    });

    it("is refused without the account and with a wrong password, and repeats neither", async () => {
      await pushImage(guarded, "private/secret", "1", images.busybox);
      const name = `${guarded.host}/private/secret:1`;
      const before = guarded.tokenRequests.length;
      expect(await codeOf((await resolver()).pin(name, ask))).toContain("EXEC_IMAGE_REFUSED");
      expect(guarded.tokenRequests.length - before).toBeLessThanOrEqual(2);
      const refusal = await codeOf((await resolver("wrong")).pin(name, ask));
      expect(refusal).toContain("EXEC_IMAGE_REFUSED");
      expect(refusal).toContain(`answered 401 to user ${registryUser.username}`);
      expect(refusal).not.toContain("wrong");
    });

    it("says that a tag or repository is missing", async () => {
      await pushImage(open, "lab/tagged", "1", images.busybox);
      const pinner = await resolver();
      for (const name of [`${open.host}/lab/tagged:2`, `${open.host}/lab/nothing:1`]) {
        const refusal = await codeOf(pinner.pin(name, ask));
        expect(refusal).toContain("EXEC_IMAGE_NOT_FOUND");
        expect(refusal).toContain("answered 404");
      }
    });

    it("refuses what is not an image name", async () => {
      expect(await codeOf((await resolver()).pin("Not An Image", ask))).toContain("it is not an image name");
    });

    it("takes a local image by its local name and runs it by its id", async () => {
      await server.load(images.bash);
      const pinned = await (await resolver()).pin(images.bash.reference, ask);
      expect(pinned).toEqual({
        requested: images.bash.reference,
        reference: images.bash.configDigest,
        platform,
        configDigest: images.bash.configDigest,
      });
      const refusal = await codeOf((await resolver()).pin("localhost/memoir-test/none:1", ask));
      expect(refusal).toContain("EXEC_IMAGE_NOT_FOUND");
    });

    it("falls back to a local image when its registry is unreachable, and reports it", async () => {
      const gone = await startRegistry({ auth: false });
      const name = `${gone.host}/lab/kept:1`;
      await pushImage(gone, "lab/kept", "1", images.busybox);
      const credentials = await withLogin(undefined);
      const store = new ImageStore({ engine, credentials });
      await store.pull(name, ask);
      await gone.stop();
      const words: string[] = [];
      const pinner = createImageResolver({
        store,
        platform: engine.facts.platform,
        credentials,
        retryPauseMs: 1,
        onLocal: (requested, why) => words.push(`${requested}: ${why}`),
      });
      expect(await pinner.pin(name, ask)).toMatchObject({ configDigest: images.busybox.configDigest });
      expect(words[0]).toContain("ECONNREFUSED");
      expect(await codeOf(pinner.pin(`${gone.host}/lab/unseen:1`, ask))).toContain(
        "EXEC_REGISTRY_UNREACHABLE",
      );
    });

    describe("with a registry in trouble", () => {
      let troubled: Server;
      let host: string;
      let answers: {
        readonly status: number;
        readonly headers?: Record<string, string>;
        readonly body?: string;
      }[];
      let asked: string[];

      beforeAll(async () => {
        // No real registry can be made to answer so; everything else here runs on one.
        troubled = createServer((request, response) => {
          asked.push(`${request.method} ${request.url}`);
          const answer = answers.shift() ?? { status: 503 };
          response.writeHead(answer.status, answer.headers);
          response.end(request.method === "HEAD" ? undefined : answer.body);
        });
        await new Promise<void>((resolve) => troubled.listen(0, "127.0.0.1", () => resolve()));
        host = `127.0.0.1:${(troubled.address() as AddressInfo).port}`;
      });

      afterAll(() => troubled?.close());

      it("asks again a bounded number of times when it answers 429 or 5xx", async () => {
        answers = [{ status: 429, headers: { "retry-after": "0" } }, { status: 502 }];
        asked = [];
        const refusal = await codeOf((await resolver()).pin(`${host}/lab/x:1`, ask));
        expect(refusal).toContain("EXEC_REGISTRY_UNREACHABLE");
        expect(asked.slice(0, 4)).toEqual(Array(4).fill("HEAD /v2/lab/x/manifests/1"));
      });

      it("does not believe content whose digest is another one", async () => {
        const digest = `sha256:${"0".repeat(64)}`;
        const headers = { "docker-content-digest": digest };
        answers = [
          { status: 200, headers },
          { status: 200, headers, body: '{"schemaVersion":2,"config":{}}' },
        ];
        asked = [];
        const refusal = await codeOf((await resolver()).pin(`${host}/lab/forged:1`, ask));
        expect(refusal).toContain("EXEC_REGISTRY_UNREACHABLE");
        expect(refusal).toContain("the content has the digest sha256:");
      });
    });
  });
}
