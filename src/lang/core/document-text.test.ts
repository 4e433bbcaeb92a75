import { describe, expect, it } from "vitest";
import { documentText } from "./document-text.ts";

describe("the text of a document", () => {
  it("is its bytes as UTF-8", () => {
    expect(documentText(Buffer.from("version 1.2 # Zürich\n"), "/w/main.wdl")).toBe("version 1.2 # Zürich\n");
    expect(documentText(new Uint8Array(), "/w/main.wdl")).toBe("");
  });

  it("is refused with the line of the first byte that is not UTF-8", () => {
    const bytes = Buffer.from("version 1.2\ntask t {\n  command <<< echo caf\xe9 >>>\n}\n", "latin1");
    expect(() => documentText(bytes, "/w/main.wdl")).toThrow("reading /w/main.wdl: line 3 is not UTF-8");
  });

  it("is refused when it ends within a character", () => {
    expect(() => documentText(Buffer.from([0x61, 0x0a, 0xc3]), "a.cwl")).toThrow("line 2 is not UTF-8");
  });
});
