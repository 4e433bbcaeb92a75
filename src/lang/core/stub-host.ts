/**
 * Stubs of the host, for tests of one language, whose programs use few of its functions. A function that is not given
 * throws an error that names it.
 */
import type { FileAccess } from "./file-access.ts";
import type { Host } from "./host.ts";

export function stubHost(own: Pick<Host, "call" | "failure" | "files"> & Partial<Host>): Host {
  return {
    emit: () => {},
    stop: () => {},
    pathOf: async () => refused("derives no call paths"),
    publish: async () => refused("publishes nothing"),
    ...own,
  };
}

export function stubFiles(own: Pick<FileAccess, "scratch"> & Partial<FileAccess>): FileAccess {
  return {
    stat: async () => refused("looks at no files"),
    readText: async () => refused("reads no files"),
    read: () => refused("reads no files"),
    list: async () => refused("lists no folders"),
    glob: async () => refused("finds no files"),
    copy: async () => refused("copies no files"),
    writeTo: async () => refused("writes to no named places"),
    makeFolder: async () => refused("makes no folders"),
    write: async () => refused("writes no files"),
    ...own,
  };
}

function refused(what: string): never {
  throw new Error(`this host ${what}`);
}
