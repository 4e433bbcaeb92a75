import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { quoted } from "../core/index.ts";
import { prepareScript, publishScript } from "./job-scripts.ts";
import { parseListing } from "./listing.ts";

const digests = [`${"a".repeat(64)}`, `${"b".repeat(32)}`];
const bytes = (...fields: readonly string[]) => Buffer.from(fields.map((field) => `${field}\0`).join(""));

describe("a listing of what a task left", () => {
  it("is read with names that hold anything", () => {
    const odd = "/mnt/memoir/work/a\nb 'c";
    const listing = parseListing(
      bytes(
        "file",
        odd,
        "3",
        ...digests,
        "x",
        "work/a",
        "link",
        "/mnt/memoir/l",
        "..",
        "text",
        "/mnt/memoir/rc",
        "0\n",
        "end",
      ),
    );
    expect(listing?.members.get(odd)).toMatchObject({ sizeBytes: 3, executable: true, object: "work/a" });
    expect(listing?.members.get("/mnt/memoir/l")).toEqual({ kind: "link", target: ".." });
    expect(listing?.texts.get("/mnt/memoir/rc")).toBe("0\n");
  });

  it.each([
    ["that broke off", bytes("directory", "/mnt/memoir/work")],
    ["that broke off in a field", Buffer.from("directory\0/mnt/mem")],
    ["with more after its end", bytes("end", "directory", "/x")],
    ["with an object outside its folder", bytes("file", "/x", "3", ...digests, "-", "../../other", "end")],
    ["with a digest that is none", bytes("file", "/x", "3", "abc", "def", "-", "x", "end")],
    ["of nothing at all", Buffer.alloc(0)],
  ])("counts for nothing %s", (_, text) => {
    expect(parseListing(text)).toBeUndefined();
  });
});

describe("the scripts around a task", () => {
  it("are such as a shell reads, whatever names are in them", () => {
    const path = "/mnt/memoir/inputs/0/it's $HOME\n`x`";
    const folder = mkdtempSync(join(tmpdir(), "memoir-scripts-"));
    const file = { staged: "/s/0", path, sha256: undefined, sizeBytes: 3, executable: true };
    const texts = [
      prepareScript({ files: [file], folders: [path], links: [{ path, target: "../x" }], roots: ["/it's"] }),
      publishScript(["/mnt/memoir", "/mnt/disk's"], "/s/1"),
    ];
    for (const text of texts) {
      writeFileSync(join(folder, "script"), text);
      execFileSync("/bin/sh", ["-n", join(folder, "script")]);
    }
    rmSync(folder, { recursive: true });
  });

  it("quote what a shell would read otherwise", () => {
    expect(
      execFileSync("/bin/sh", ["-c", `printf %s ${quoted('it\'s $(x) \\ "y"')}`], { encoding: "utf8" }),
    ).toBe('it\'s $(x) \\ "y"');
  });
});
