/** Charliecloud, which runs unpacked images without any privilege, and a registry that speaks TLS as it requires. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RegistryServer } from "./registry.ts";
import type { Requirement } from "./requirement.ts";

export const charliecloudRequirement: Requirement = {
  name: "Charliecloud",
  programs: ["ch-run", "ch-image", "flock", "openssl"],
  debianPackages: [
    "charliecloud-runtime",
    "charliecloud-builders",
    "python3-lark",
    "python3-requests",
    "util-linux",
    "openssl",
  ],
};

export interface SecureRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  stop(): Promise<void>;
}

/** Hands requests over TLS on to a registry without it. Its certificate is its own. */
export async function secured(registry: RegistryServer): Promise<SecureRegistry> {
  const dir = mkdtempSync(join(tmpdir(), "memoir-test-tls-"));
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-days", "2", "-nodes"];
  const files = ["-keyout", key, "-out", cert];
  await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject, ...files]);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (from, answer) => {
    const { method, url, headers } = from;
    const to = request(`http://${registry.host}${url}`, { method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    to.on("error", () => answer.destroy());
    from.pipe(to);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
