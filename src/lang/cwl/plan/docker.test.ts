import { describe, expect, it } from "vitest";
import type { Place } from "../model/place.ts";
import type { Docker } from "../model/requirements.ts";
import { dockerPlan } from "./docker.ts";
import { CwlFailure } from "./failure.ts";

const place = {} as Place;
const required = (fields: Partial<Docker>): Docker => ({ required: true, place, ...fields });
const hint = (fields: Partial<Docker>): Docker => ({ required: false, place, ...fields });

describe("an image", () => {
  it("comes from a registry where the document names one, else it is built, loaded, imported or there", () => {
    const all = {
      pull: "a:1",
      file: "FROM b",
      load: "file:///c.tar",
      import: "https://h/d.tgz",
      imageId: "e",
    };
    expect(dockerPlan(required(all))).toMatchObject({ images: ["a:1"] });
    const { pull: _pull, ...built } = all;
    expect(dockerPlan(required(built)).recipe).toEqual({ kind: "build", dockerfile: "FROM b" });
    const { file: _file, ...loaded } = built;
    expect(dockerPlan(required(loaded)).recipe).toEqual({
      kind: "load",
      archive: { kind: "file", location: "/c.tar", basename: "c.tar" },
      name: "e",
    });
    const { load: _load, ...imported } = loaded;
    expect(dockerPlan(required(imported)).recipe).toEqual({
      kind: "import",
      archive: { kind: "file", location: "https://h/d.tgz", basename: "d.tgz" },
    });
    expect(dockerPlan(hint({ imageId: "e" }))).toMatchObject({
      images: [],
      recipe: { kind: "local", name: "e" },
    });
  });

  it("that nothing names is missed only where there must be one", () => {
    expect(dockerPlan(hint({}))).toEqual({ images: [], outdir: "/mnt/memoir/work" });
    expect(() => dockerPlan(required({}))).toThrow(CwlFailure);
  });
});

describe("the output directory", () => {
  it("is what expressions see only of a container that must be", () => {
    const fields = { pull: "a", outputDirectory: "/srv/out/" };
    expect(dockerPlan(required(fields))).toMatchObject({ outdir: "/srv/out", workDir: "/srv/out" });
    expect(dockerPlan(hint(fields))).toMatchObject({ outdir: "/mnt/memoir/work", workDir: "/srv/out" });
  });

  it("that cannot be is an error, of a hint it is ignored", () => {
    const fields = { pull: "a", outputDirectory: "relative" };
    expect(() => dockerPlan(required(fields))).toThrow(
      "dockerOutputDirectory relative is not an absolute path",
    );
    expect(dockerPlan(hint(fields))).not.toHaveProperty("workDir");
  });
});
