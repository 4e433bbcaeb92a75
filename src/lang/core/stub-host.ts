/**
 * Hosts with doors that nothing is behind: for tests of one language, whose programs use few of them. What is not given
 * refuses, by name.
 */
import type { FileAccess } from "./file-access.ts";
import type { Host } from "./host.ts";

export function bareHost(own: Pick<Host, "call" | "failure" | "files"> & Partial<Host>): Host {
  return {
    emit: () => {},
    stop: () => {},
    pathOf: async () => refused("derives no call paths"),
    publish: async () => refused("publishes nothing"),
    ...own,
  };
}

export function bareFiles(own: Pick<FileAccess, "scratch"> & Partial<FileAccess>): FileAccess {
  return {
    stat: async () => refused("looks at no files"),
    readText: async () => refused("reads no files"),
    read: () => refused("reads no files"),
    list: async () => refused("lists no folders"),
    glob: async () => refused("finds no files"),
    copy: async () => refused("copies no files"),
    writeTo: async () => refused("writes to no named places"),
    write: async () => refused("writes no files"),
    ...own,
  };
}

function refused(what: string): never {
  throw new Error(`this host ${what}`);
}
