/** A private Docker daemon on a socket in a temporary folder; it leaves the machine's network rules alone. */
import { createReadStream, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Requirement } from "./requirement.ts";
import { keepEngine, type TestEngine } from "./test-engine.ts";
import type { TestImage } from "./test-images.ts";

export const dockerRequirement: Requirement = {
  name: "Docker Engine",
  programs: ["dockerd", "containerd", "runc"],
  debianPackages: ["docker.io"],
  needsRoot: true,
};

export async function startDocker(): Promise<TestEngine> {
  const { dir, stop } = await keepEngine("docker");
  const socketPath = join(dir, "docker.sock");
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: process.env["HOME"] ?? "/root",
    DOCKER_HOST: `unix://${socketPath}`,
  };
  return { kind: "docker", dir, env, load: (image) => load(socketPath, image), stop };
}

async function load(socketPath: string, image: TestImage): Promise<void> {
  const outgoing = request({
    socketPath,
    method: "POST",
    path: "/images/load",
    headers: { "content-type": "application/x-tar", "content-length": statSync(image.archive).size },
  });
  const answered = new Promise<string>((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve(text));
    });
  });
  await pipeline(createReadStream(image.archive), outgoing);
  const text = await answered;
  if (!text.includes(image.reference)) throw new Error(`docker load ${image.archive}: ${text}`);
}
