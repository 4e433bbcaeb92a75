/**
 * Answers for the web site that a conformance test wants to reach, on a separate loopback address, where no other
 * site can be reached. Only containers that share the host's network and its names can see it.
 */
import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

export interface WebStandIn {
  /** Makes Podman give tasks that ask for the network the host's, with the site's name in their /etc/hosts. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Needs the right to listen at port 80. `folder`: a place for Podman's settings. */
export async function startWebStandIn(site: string, folder: string): Promise<WebStandIn> {
  const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const server = createServer((request, answer) => {
    answer.statusCode = request.headers.host === site ? 200 : 404;
    answer.end(`${site} as a stand-in\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(80, address, resolve);
  });
  const hosts = join(folder, "hosts");
  await writeFile(hosts, `127.0.0.1 localhost\n${address} ${site}\n`);
  const settings = join(folder, "containers.conf");
  await writeFile(settings, `[containers]\nnetns = "host"\nbase_hosts_file = "${hosts}"\n`);
  return {
    env: { CONTAINERS_CONF: settings },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
