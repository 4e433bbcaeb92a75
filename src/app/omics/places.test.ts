import { describe, expect, it } from "vitest";
import { type AllowedPlaces, boundsOf, inputTrouble, locationTrouble, withinOf } from "./places.ts";

const everywhere: AllowedPlaces = { kind: "all" };
const below: AllowedPlaces = { kind: "below", folder: "/srv/data" };
const nowhere: AllowedPlaces = { kind: "below", folder: undefined };

describe("a location that a request names", () => {
  it("may be on S3 everywhere, and in every folder where nobody is restricted", () => {
    for (const allowed of [everywhere, below, nowhere])
      expect(locationTrouble("s3://bucket/prefix", allowed)).toBeUndefined();
    expect(locationTrouble("file:///etc", everywhere)).toBeUndefined();
  });

  it.each(["file:///srv/data", "file:///srv/data/a/b", "file:///srv/data/a/../b"])(
    "may be %s where /srv/data is allowed",
    (uri) => {
      expect(locationTrouble(uri, below)).toBeUndefined();
      expect(locationTrouble(uri, nowhere)).toBe("this server allows s3:// locations only");
    },
  );

  it.each([
    "file:///etc",
    "file:///srv/database",
    "file:///srv/data/../secret",
    "file:///srv/data/%2e%2e/secret",
    "file:///srv/data%2f..%2f..%2fetc",
    "file://other/srv/data/a",
    "http://site/srv/data",
    "srv/data",
  ])("may not be %s", (uri) => {
    expect(locationTrouble(uri, below)).toBe(
      "this server allows s3:// locations, or file:// below /srv/data only",
    );
  });
});

describe("a value of a parameter that may be a file", () => {
  it.each(["name", "a/b.txt", "..name", "a..b", ""])(
    "is harmless as %j: it is in the run's folder",
    (value) => {
      expect(inputTrouble(value, nowhere)).toBeUndefined();
    },
  );

  it.each([
    "/etc/passwd",
    "~/.ssh/id",
    "../x",
    "a/../../x",
    "file:///etc/passwd",
    "FILE:///etc",
    "http://site/x",
  ])("is refused as %j", (value) => {
    expect(inputTrouble(value, nowhere)).toBeDefined();
    expect(inputTrouble(value, everywhere)).toBeUndefined();
  });
});

describe("what documents of bundles may read", () => {
  it("is limited to the run's folders and the allowed one, without the web, where places are restricted", () => {
    expect(boundsOf(below, ["/run"])).toMatchObject({
      bounds: { folders: ["/run", "/srv/data"], inputs: "within", web: "refused" },
      network: "refused",
    });
    expect(boundsOf(nowhere, ["/run"]).bounds?.folders).toEqual(["/run"]);
    expect(boundsOf(everywhere, ["/run"]).bounds).toEqual({
      folders: ["/run"],
      inputs: "anywhere",
      web: "allowed",
    });
  });

  it("is confined by a folder that no link leads out of only where there is one", () => {
    expect([withinOf(everywhere), withinOf(nowhere), withinOf(below)]).toEqual([
      {},
      {},
      { within: "/srv/data" },
    ]);
  });
});
