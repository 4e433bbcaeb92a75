import { describe, expect, it } from "vitest";
import { RequestProblem } from "../http/index.ts";
import { type Parameters, readQuery } from "./query.ts";

const parameters: Parameters = {
  limit: { kind: "integer", about: "rows of a page", least: 1, most: 100, usual: 20 },
  from: { kind: "integer", about: "first row", least: 0, most: 1000 },
  state: { kind: "text", about: "of the run", choices: ["running", "failed"] },
  name: { kind: "text", about: "of the run" },
};

const detailOf = (query: string) => {
  try {
    readQuery(parameters, query);
    return "read";
  } catch (error) {
    expect(error).toBeInstanceOf(RequestProblem);
    return (error as RequestProblem).message;
  }
};

describe("the parameters of a query", () => {
  it("are checked values, with defaults where there are any", () => {
    const query = readQuery(parameters, "state=failed&name=a%20b");
    expect([query.integer("limit"), query.integer("from")]).toEqual([20, undefined]);
    expect([query.text("state"), query.text("name")]).toEqual(["failed", "a b"]);
    expect(query.texts("state", "name")).toEqual({ state: "failed", name: "a b" });
    expect(readQuery(parameters, "limit=100&from=0").integer("limit")).toBe(100);
    expect(readQuery(parameters, "").texts("state")).toEqual({});
  });

  it("are refused when they are unknown, given twice, or cannot be decoded", () => {
    expect(detailOf("limt=5")).toBe('there is no parameter "limt"; did you mean limit?');
    expect(detailOf("__proto__=5")).toBe('there is no parameter "__proto__"');
    expect(detailOf("limit=5&limit=6")).toBe("the parameter limit is given 2 times");
    expect(detailOf("name=%ff")).toBe("the query cannot be decoded");
  });

  it.each(["0", "101", "-1", "1.5", "1e2", " 5", "", "99999999999999999999"])(
    "are refused when an integer is %j",
    (value) => {
      const shown = encodeURIComponent(value);
      expect(detailOf(`limit=${shown}`)).toBe("the parameter limit must be an integer from 1 to 100");
    },
  );

  it("are refused when a text is empty, too long, or none of the choices", () => {
    expect(detailOf("name=")).toBe("the parameter name must have 1 to 4096 characters");
    expect(detailOf(`name=${"x".repeat(4097)}`)).toBe("the parameter name must have 1 to 4096 characters");
    expect(detailOf("state=Failed")).toBe("the parameter state must be one of running, failed");
  });
});
