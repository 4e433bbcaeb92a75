import { describe, expect, it } from "vitest";
import { operations, ServiceException } from "../protocol/index.ts";
import { decodeRequest } from "./decode.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const startRun = (body: string | Uint8Array) =>
  decodeRequest(operations.StartRun, {
    labels: {},
    rawQuery: "",
    body: typeof body === "string" ? bytes(body) : body,
  });
const request = {
  workflowId: "1234567",
  requestId: "once",
  roleArn: "arn:aws:iam::123456789012:role/r",
  outputUri: "s3://bucket/out",
};

const messageOf = (work: () => unknown) => {
  try {
    work();
    return "decoded";
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceException);
    return (error as ServiceException).message;
  }
};

describe("the body of a request", () => {
  it("is its known members; unknown ones and null are left out", () => {
    const { input } = startRun(JSON.stringify({ ...request, name: null, unknown: { a: 1 } }));
    expect(input).toEqual(request);
  });

  it("keeps documents as they are written", () => {
    const decoded = startRun(
      `{"parameters": {"n": 9007199254740993, "x": 1.0}, ${JSON.stringify(request).slice(1)}`,
    );
    expect(decoded.raw("parameters")).toBe('{"n": 9007199254740993, "x": 1.0}');
    expect(decoded.isCut).toBe(false);
  });

  it.each([
    ["[]", "the body is not a JSON object"],
    ["null", "the body is not a JSON object"],
    ["{", "the body is not JSON"],
    [new Uint8Array([0x7b, 0xff, 0x7d]), "the body is not UTF-8"],
  ])("is refused as %j", (body, message) => {
    expect(messageOf(() => startRun(body))).toBe(message);
  });

  it("is reported with all its faults at once", () => {
    const message = messageOf(() => startRun(JSON.stringify({ workflowId: "x", outputUri: "bucket" })));
    expect(message).toContain("3 validation errors detected");
    for (const member of ["workflowId", "roleArn", "requestId"]) expect(message).toContain(`'${member}'`);
  });
});

describe("the query of a request", () => {
  const listRuns = (rawQuery: string) =>
    decodeRequest(operations.ListRuns, { labels: {}, rawQuery, body: bytes("") }).input;

  it("has integers as numbers, and the last of several values", () => {
    expect(listRuns("maxResults=10&name=a&name=b&other=1")).toEqual({ maxResults: 10, name: "b" });
  });

  it("is refused when it cannot be decoded or breaks a constraint", () => {
    expect(messageOf(() => listRuns("name=%ff"))).toContain("percent-encoded");
    for (const value of ["0", "1.5", "ten"])
      expect(
        messageOf(() => listRuns(`maxResults=${value}`)),
        value,
      ).toContain("'maxResults'");
  });

  it("may be a list", () => {
    const decoded = decodeRequest(operations.GetRun, {
      labels: { id: "1234567" },
      rawQuery: "export=DEFINITION",
      body: bytes(""),
    });
    expect(decoded.input).toEqual({ id: "1234567", export: ["DEFINITION"] });
  });
});
