/** The parts of the page that need no browser: texts, numbers, places. */
import { expect, it } from "vitest";
import { agoText, bytesText, durationText } from "../../web/format.ts";
import { layered } from "../../web/graph-layout.ts";
import { endOfText, plainText } from "../../web/terminal-text.ts";
import { treeMap } from "../../web/tree-map.ts";
import { wordChanges } from "../../web/word-changes.ts";

it("numbers carry their units", () => {
  expect([0, 999, 1000, 123_456, 12_345_678, 5e12].map(bytesText)).toEqual([
    ...["0 B", "999 B", "1.0 kB", "123 kB", "12.3 MB", "5.0 TB"],
  ]);
  expect([0.25, 5, 59.6, 60, 3599.7, 3600, 90_000, 400_000].map(durationText)).toEqual([
    ...["250 ms", "5.0 s", "1 min 0 s", "1 min 0 s", "1 h 0 min", "1 h 0 min", "25 h 0 min", "4.6 days"],
  ]);
  expect([0, 30, 120, 7200, 10 * 86_400].map((seconds) => agoText(0, seconds * 1000))).toEqual([
    ...["just now", "30 s ago", "2 min ago", "2 h ago", "10 days ago"],
  ]);
});

it("what a program wrote for a terminal is shown without its control sequences", () => {
  expect(plainText("\u001b[31mred\u001b[0m and \u001b]0;title\u0007plain\u001b[2K")).toBe("red and plain");
  expect(plainText("10%\r50%\r100%\ndone\r\n")).toBe("100%\ndone\n");
  expect(plainText("a\u0000b\u202ec<script>")).toBe("a\ufffdb\ufffdc<script>");
});

it("a line of a megabyte is cut, and of a long text the end is shown", () => {
  const { text, left } = endOfText(`${"x".repeat(1_000_000)}\nend`);
  expect(text.length).toBeLessThan(11_000);
  expect(text).toContain("990,000 more characters");
  expect(text.endsWith("\nend")).toBe(true);
  expect(left).toBe(0);
  const long = endOfText("line\n".repeat(100_000), 1000);
  expect([long.text.length, long.left]).toEqual([1000, 499_000]);
});

it("two texts are compared by their words", () => {
  expect(wordChanges("sort -k1 in.txt", "sort -k2 in.txt")).toEqual([
    { kind: "same", text: "sort " },
    { kind: "removed", text: "-k1" },
    { kind: "added", text: "-k2" },
    { kind: "same", text: " in.txt" },
  ]);
  for (const [before, after] of [
    ["", "a b"],
    ["a b", ""],
    ["a b a", "a"],
    ["x ".repeat(3000), "y ".repeat(3000)],
  ] as const) {
    const changes = wordChanges(before, after);
    const textOf = (...kinds: readonly string[]) =>
      changes.flatMap(({ kind, text }) => (kinds.includes(kind) ? text : [])).join("");
    expect(textOf("same", "removed")).toBe(before);
    expect(textOf("same", "added")).toBe(after);
  }
});

it("rectangles fill the whole map in proportion to their sizes", () => {
  const sizes = [600, 300, 80, 15, 5, 0];
  const tiles = treeMap(sizes, (size) => size, 2);
  expect(tiles).toHaveLength(5);
  for (const { item, x, y, width, height } of tiles) {
    expect(width * height).toBeCloseTo(item / 1000, 6);
    expect(x + width).toBeLessThanOrEqual(1.000_001);
    expect(y + height).toBeLessThanOrEqual(1.000_001);
  }
});

it("every edge of a graph leads to a later layer, and a circle is drawn, too", () => {
  const places = layered(
    ["a", "b", "c", "d"],
    [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
      { from: "a", to: "c" },
      { from: "a", to: "d" },
    ],
  );
  expect([...places].map(([id, { layer }]) => [id, layer])).toEqual(
    expect.arrayContaining([
      ["a", 0],
      ["b", 1],
      ["c", 2],
      ["d", 1],
    ]),
  );
  const circle = layered(
    ["x", "y"],
    [
      { from: "x", to: "y" },
      { from: "y", to: "x" },
    ],
  );
  expect(circle.size).toBe(2);
});
