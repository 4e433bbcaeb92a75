import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stager, sourceOf } from "../plan/stager.ts";
import { FileProblem } from "./file-problem.ts";
import { layOut } from "./lay-out.ts";
import { mergedListing } from "./merge-listing.ts";
import type { DirectoryV, FileV } from "./value.ts";

const isMade = (value: FileV | DirectoryV) => sourceOf(value) === undefined;

/** Few names, so that they meet. */
const name = fc.constantFrom("a", "b", "c", "d");
const file = fc
  .tuple(name, fc.constantFrom("1", "2"), fc.boolean())
  .map(
    ([basename, contents, isSource]): FileV =>
      isSource
        ? { class: "File", basename, location: `file:///data/${contents}` }
        : { class: "File", basename, contents },
  );
const withSecondary = fc
  .tuple(file, fc.array(file, { maxLength: 2 }))
  .map(([primary, secondaryFiles]): FileV => ({ ...primary, secondaryFiles }));
const { directory } = fc.letrec<{ directory: DirectoryV }>((tie) => ({
  directory: fc
    .tuple(name, fc.array(fc.oneof({ maxDepth: 3 }, withSecondary, tie("directory")), { maxLength: 4 }))
    .map(([basename, listing]): DirectoryV => ({ class: "Directory", basename, listing })),
}));

async function merged(value: DirectoryV): Promise<DirectoryV> {
  const listing: (FileV | DirectoryV)[] = [];
  for (const each of value.listing ?? [])
    listing.push(each.class === "Directory" ? await merged(each) : each);
  return { ...value, listing: await mergedListing(listing, "it", async () => []) };
}

describe("objects that become files", () => {
  it("either have one meaning for every name, the same wherever they are put, or are refused", () =>
    fc.assert(
      fc.asyncProperty(directory, async (value) => {
        let whole: DirectoryV;
        try {
          whole = await merged(value);
        } catch (error) {
          expect(error).toBeInstanceOf(FileProblem);
          return;
        }
        const laid = layOut(whole, isMade);
        const paths = laid.map(({ path }) => path);
        expect(new Set(paths).size).toBe(paths.length);
        // A folder comes before its contents.
        for (const [at, path] of paths.entries()) {
          const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
          if (folder !== "") expect(paths.indexOf(folder)).toBeLessThan(at);
        }
        const stager = new Stager();
        stager.placeAt(whole, `/mnt/memoir/work/${whole.basename}`);
        const staged = [...stager.entries()].map(([path]) => path.replace("/mnt/memoir/work/", ""));
        expect(new Set(paths)).toEqual(new Set(staged));
      }),
    ));

  it("nothing that was given is lost without an error", () =>
    fc.assert(
      fc.asyncProperty(directory, async (value) => {
        const contents = (each: FileV | DirectoryV, into = ""): string[] =>
          each.class === "Directory"
            ? (each.listing ?? []).flatMap((inner) => contents(inner, `${into}${each.basename}/`))
            : [each, ...(each.secondaryFiles ?? [])].map(
                (one) => `${into}${one.basename}=${(one as FileV).contents ?? one.location}`,
              );
        const whole = await merged(value).catch(() => undefined);
        if (whole === undefined) return;
        const laid = layOut(whole, isMade).flatMap((each) =>
          each.kind === "folder"
            ? []
            : [`${each.path}=${each.kind === "text" ? each.content : each.value.location}`],
        );
        expect(new Set(laid)).toEqual(new Set(contents(value)));
      }),
    ));
});
