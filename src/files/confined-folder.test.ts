import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfinedFolder, withHeldFile } from "./confined-folder.ts";
import { followLinks } from "./follow-links.ts";

let home: string;
let within: string;
let outside: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "memoir-confined-"));
  [within, outside] = [join(home, "files"), join(home, "outside")];
  for (const folder of [within, outside]) mkdirSync(folder);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const refused = { code: "FILE_OUT_OF_REACH" };

describe("a confined folder", () => {
  it("is made with all that is missing, and reached through links that stay inside", async () => {
    mkdirSync(join(within, "real"));
    symlinkSync("real", join(within, "link"));
    const held = await new ConfinedFolder({ within, path: join(within, "link/a") }).hold(["b"], "make");
    await writeFile(join(held?.path ?? "", "x"), "x");
    held?.close();
    expect(readFileSync(join(within, "real/a/b/x"), "utf8")).toBe("x");
    const none = new ConfinedFolder({ within, path: join(within, "none") });
    expect(await none.hold([], "if there")).toBeUndefined();
  });

  it("is refused where a link leads out, to something or to nothing", async () => {
    symlinkSync(outside, join(within, "link"));
    symlinkSync(join(outside, "none"), join(within, "nowhere"));
    symlinkSync("../outside", join(within, "relative"));
    for (const path of ["link", "link/a", "nowhere", "nowhere/a", "relative/a", "../outside", "link/../../x"])
      for (const make of ["make", "if there"] as const)
        await expect(
          new ConfinedFolder({ within, path: `${within}/${path}` }).hold([], make),
          path,
        ).rejects.toMatchObject(refused);
    expect(readdirSync(outside)).toEqual([]);
  });

  it("is not left by a link that is put in its place or below it meanwhile", async () => {
    const folder = new ConfinedFolder({ within, path: join(within, "out") });
    const held = await folder.hold(["deep"], "make");
    // Whoever swaps the folder after it was opened gets what is written into the folder that he took away.
    await rename(join(within, "out"), join(within, "taken"));
    symlinkSync(outside, join(within, "out"));
    await writeFile(join(held?.path ?? "", "x"), "x");
    held?.close();
    expect([readdirSync(outside), readdirSync(join(within, "taken/deep"))]).toEqual([[], ["x"]]);
    await expect(folder.hold(["deep"], "make")).rejects.toMatchObject(refused);
    symlinkSync(outside, join(within, "taken/link"));
    const taken = new ConfinedFolder({ within, path: join(within, "taken") });
    await expect(taken.hold(["link", "x"], "make")).rejects.toMatchObject(refused);
    expect(() => taken.check(join(within, "taken/link/none/x"))).toThrow(expect.objectContaining(refused));
    expect(() => taken.check(join(within, "taken/none/x"))).not.toThrow();
  });

  it("has files that are read, and no links that are followed", async () => {
    writeFileSync(join(outside, "secret"), "secret");
    writeFileSync(join(within, "open"), "open");
    symlinkSync(join(outside, "secret"), join(within, "link"));
    const held = await new ConfinedFolder({ within, path: within }).hold([], "if there");
    if (held === undefined) throw new Error("it is there");
    const text = (name: string) => withHeldFile(held, name, (path) => readFile(path, "utf8"));
    expect([await text("open"), await text("none")]).toEqual(["open", undefined]);
    await expect(text("link")).rejects.toMatchObject({ code: "ELOOP" });
    held.close();
  });
});

describe("where a path leads", () => {
  it("is returned with links followed, whether something exists there or not", async () => {
    symlinkSync("../outside", join(within, "link"));
    symlinkSync("loop", join(within, "loop"));
    const followed = (path: string) => followLinks(`${within}/${path}`);
    expect(await followed("link/none/x")).toBe(join(outside, "none/x"));
    expect(await followed("link/../x")).toBe(join(home, "x"));
    expect(await followed("none/../x")).toBe(join(within, "x"));
    expect(await followed("loop")).toBeUndefined();
  });
});
