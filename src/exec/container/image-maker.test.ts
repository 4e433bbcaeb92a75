import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { ImageRecipe } from "../../task/index.ts";
import type { ImageOrder } from "../core/index.ts";
import type { LocalImage } from "../images/index.ts";
import type { Loading } from "./engine.ts";
import { type ImageMaking, makeImage } from "./image-maker.ts";
import { tarOf } from "./tar-of.ts";

const archive = { kind: "file", location: "/data/image.tar", basename: "image.tar" } as const;
const order = (recipe: ImageRecipe): ImageOrder => ({
  recipe,
  identity: JSON.stringify(recipe),
  archive: async () => "/data/image.tar",
});

/** A store of names; ids are what made them. */
function storeWith(names: Record<string, string>, loading?: Loading): ImageMaking & { asked: string[] } {
  const asked: string[] = [];
  const put = (name: { repository: string; tag: string }, id: string) => {
    names[`${name.repository}:${name.tag}`] = id;
  };
  const image = (id: string): LocalImage => ({
    id,
    platform: "linux/amd64",
    start: { entrypoint: [], command: [] },
  });
  return {
    asked,
    image: async (reference) => (names[reference] === undefined ? undefined : image(names[reference])),
    build: async ({ dockerfile, name }) => {
      asked.push(`build ${dockerfile}`);
      if (dockerfile === "broken") return { kind: "refused", status: 500, message: "the build's words" };
      put(name, `built ${dockerfile}`);
      return { kind: "built" };
    },
    load: async () => {
      asked.push("load");
      return loading ?? { kind: "loaded", names: [] };
    },
    import: async (_, name) => {
      asked.push("import");
      put(name, "imported");
      return { kind: "imported" };
    },
    tag: async (reference, name) => put(name, `tagged ${reference}`),
  };
}

const make = (store: ImageMaking, recipe: ImageRecipe) =>
  makeImage(store, order(recipe), () => {}, freshAsk());

describe("an image that is made here", () => {
  it("is made once for each recipe", async () => {
    const store = storeWith({});
    const build = (dockerfile: string) => make(store, { kind: "build", dockerfile });
    expect((await build("FROM a")).id).toBe("built FROM a");
    expect((await build("FROM a")).id).toBe("built FROM a");
    expect((await build("FROM b")).id).toBe("built FROM b");
    expect((await make(store, { kind: "import", archive })).id).toBe("imported");
    expect((await make(store, { kind: "import", archive })).id).toBe("imported");
    expect(store.asked).toEqual(["build FROM a", "build FROM b", "import"]);
  });

  it("is reported with the engine's message when it cannot be made", async () => {
    await expect(make(storeWith({}), { kind: "build", dockerfile: "broken" })).rejects.toThrow(
      "building from a Dockerfile: the build's words",
    );
  });

  it("is the one of an archive that the document names, or the only one", async () => {
    const load = (names: readonly string[], name?: string) =>
      make(storeWith({}, { kind: "loaded", names }), {
        kind: "load",
        archive,
        ...(name === undefined ? {} : { name }),
      });
    expect((await load(["localhost/a:1"])).id).toBe("tagged localhost/a:1");
    expect((await load(["localhost/a:1"], "elsewhere")).id).toBe("tagged localhost/a:1");
    expect((await load(["docker.io/library/a:1", "b:2"], "a:1")).id).toBe("tagged docker.io/library/a:1");
    await expect(load(["a:1", "b:2"])).rejects.toThrow("expected one image, got 2 (a:1, b:2)");
    await expect(load(["a:1", "b:2"], "c")).rejects.toThrow("none of them c");
    await expect(load([])).rejects.toThrow("got 0");
  });

  it("is looked for under its name where it is said to be there", async () => {
    const local = { kind: "local", name: "mine:1" } as const;
    expect((await make(storeWith({ "mine:1": "sha256:1" }), local)).id).toBe("sha256:1");
    await expect(make(storeWith({}), local)).rejects.toThrow("looking for image mine:1");
  });
});

it("an archive of one file is what tar reads", () => {
  for (const text of ["", "FROM x\n", "ü".repeat(600)]) {
    const input = tarOf("Dockerfile", text);
    expect(input.length % 512).toBe(0);
    expect(execFileSync("tar", ["-tf", "-"], { input, encoding: "utf8" })).toBe("Dockerfile\n");
    expect(execFileSync("tar", ["-xOf", "-"], { input, encoding: "utf8" })).toBe(text);
  }
});
