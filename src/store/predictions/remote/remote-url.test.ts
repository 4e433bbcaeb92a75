import { expect, it } from "vitest";
import { parseRemoteAddress } from "./remote-url.ts";

it("an address names a server, a path below which it answers, and a region to sign for", () => {
  expect(parseRemoteAddress("https://api.example.org/dev/?sign=eu-west-1")).toEqual({
    ...{ url: "https://api.example.org/dev", sign: "eu-west-1" },
  });
  expect(parseRemoteAddress("http://127.0.0.1:8080")).toEqual({
    url: "http://127.0.0.1:8080",
    sign: undefined,
  });
});

it.each([
  "http://example.org",
  "https://user:secret@example.org",
  "https://example.org?token=x",
  "https://example.org#x",
  "https://example.org?sign=EU",
  "https:example.org",
])("%s is refused", (place) => {
  expect(() => parseRemoteAddress(place)).toThrow(expect.objectContaining({ code: "STORE_URI_INVALID" }));
});
