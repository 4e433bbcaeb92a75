import { describe, expect, it } from "vitest";
import { containerPath } from "./container-path.ts";

describe("containerPath", () => {
  it.each([
    ["/srv/results", "/srv/results"],
    ["/srv//a/./b/", "/srv/a/b"],
    ["/mnt/data", "/mnt/data"],
    ["/mnt/memoirs", "/mnt/memoirs"],
    ["/development", "/development"],
    ["/tmp/../etc/x", "/etc/x"],
  ])("allows %s", (text, path) => {
    expect(containerPath(text)).toEqual({ kind: "path", path });
  });

  it.each([
    "results",
    "",
    "/",
    "/..",
    "/mnt",
    "/mnt/memoir",
    "/mnt/memoir/rc",
    "/srv/../mnt/memoir/work/x",
    "//mnt/memoir",
    "/proc",
    "/proc/1/root/x",
    "/sys/fs/cgroup",
    "/dev/shm",
  ])("refuses %j", (text) => {
    expect(containerPath(text).kind).toBe("refused");
  });
});
