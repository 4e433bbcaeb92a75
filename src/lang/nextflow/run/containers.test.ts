import { describe, expect, test } from "vitest";
import { fromPlain } from "../stdlib/json.ts";
import { GroovyMap } from "../values/map.ts";
import { Containers } from "./containers.ts";
import { scriptFiles } from "./script-files.ts";

const warned: string[] = [];

function containers(config: object, bounded = false): Containers {
  const settings = fromPlain(config);
  return new Containers({
    config: settings instanceof GroovyMap ? settings : new GroovyMap(),
    outside: {
      files: scriptFiles({ launchDir: "/", writable: [] }),
      env: (name) => (name === "HOME" ? "/home/me" : undefined),
      environment: {},
      nowMs: () => 0,
      print: () => {},
      newFolder: () => "/nowhere",
      log: () => {},
    },
    bounded,
    warn: (message) => warned.push(message),
  });
}

describe("a container", () => {
  test("is used where an engine is switched on and the task names an image", () => {
    expect(containers({}).taskContainer("a:1", null)).toBeUndefined();
    expect(containers({ docker: { enabled: false } }).taskContainer("a:1", null)).toBeUndefined();
    expect(containers({ docker: { enabled: true } }).taskContainer(null, null)).toBeUndefined();
    expect(containers({ podman: { enabled: true } }).taskContainer("a:1", null)?.image).toBe("a:1");
  });

  test.each([
    ["biocontainers/x:1", "quay.io/biocontainers/x:1"],
    ["x:1", "quay.io/x:1"],
    ["docker://x:1", "quay.io/x:1"],
    ["ghcr.io/a/x:1", "ghcr.io/a/x:1"],
    ["host:5000/x", "host:5000/x"],
    ["localhost/x", "localhost/x"],
  ])("%s is looked for in the registry of the configuration", (name, image) => {
    const found = containers({ docker: { enabled: true, registry: "quay.io/" } }).taskContainer(name, null);
    expect(found?.image).toBe(image);
  });

  test.each(["https://depot.galaxyproject.org/singularity/x:1", "/images/x.sif", "oras://host/x", "x.img"])(
    "%s of Singularity is refused",
    (name) => {
      expect(() => containers({ singularity: { enabled: true } }).taskContainer(name, null)).toThrow(
        "is an image of Singularity",
      );
    },
  );

  test("has the options of its engine and its own", () => {
    const engine = containers({
      docker: { enabled: true, runOptions: "-e A=1 --privileged", envWhitelist: "HOME,NONE" },
    });
    expect(engine.taskContainer("x", "-e B=2 -v /tmp:/tmp -v /usr:/opt/usr:ro")).toEqual({
      image: "x",
      env: { A: "1", B: "2" },
      passedEnv: { HOME: "/home/me" },
      disks: [{ path: "/tmp", needed: false }],
      mounts: [{ path: "/opt/usr", source: { kind: "directory", location: "/usr", basename: "usr" } }],
      others: ["--privileged"],
    });
    expect(warned.join()).toContain("--privileged");
  });

  test.each(["/mnt/memoir/work", "/", "relative", "/mnt/memoir"])("mounts nothing at %s", (target) => {
    expect(() => containers({ docker: { enabled: true } }).taskContainer("x", `-v /usr:${target}`)).toThrow(
      "nothing can be mounted",
    );
  });

  test.each([
    "-v /etc:/x",
    "--privileged",
    "-e HOME",
    "--network host",
    "-u root",
    "--device /dev/sda",
    "--cap-add ALL",
  ])("of other people's pipelines is refused with %s", (options) => {
    const engine = containers({ docker: { enabled: true } }, true);
    expect(() => engine.taskContainer("x", options)).toThrow("containerOptions are refused here");
    const general = containers({ docker: { enabled: true, runOptions: options } }, true);
    expect(() => general.taskContainer("x", null)).toThrow("containerOptions are refused here");
    expect(engine.taskContainer("x", "-e A=1 --memory 2g")?.env).toEqual({ A: "1" });
  });
});
