import { describe, expect, it } from "vitest";
import { WatchLoop } from "./watch-loop.ts";

describe("a loop that watches what runs elsewhere", () => {
  it("looks until everything has ended, and begins again for what comes later", async () => {
    const seen: (readonly string[])[] = [];
    const loop = new WatchLoop<{ readonly name: string; left: number }, string>({
      pollMs: 1,
      look: async (items) => {
        seen.push(items.map(({ name }) => name));
        for (const item of items) if (item.left-- === 0) loop.settle(item, `${item.name} ended`);
        return true;
      },
    });
    expect(await Promise.all([loop.add({ name: "a", left: 0 }), loop.add({ name: "b", left: 2 })])).toEqual([
      "a ended",
      "b ended",
    ]);
    expect(seen.at(-1)).toEqual(["b"]);
    expect(await loop.add({ name: "c", left: 0 })).toBe("c ended");
    await loop.close(new Error("over"));
  });

  it("looks again at once when it is woken", async () => {
    let looks = 0;
    const loop = new WatchLoop<object, string>({
      pollMs: 1e9,
      look: async (items) => {
        looks++;
        if (looks === 2) for (const item of items) loop.settle(item, "ended");
        else queueMicrotask(() => loop.wake());
        return false;
      },
    });
    expect(await loop.add({})).toBe("ended");
    await loop.close(new Error("over"));
  });

  it("looks again at once for what is added while it looks", async () => {
    const loop = new WatchLoop<{ readonly name: string }, string>({
      pollMs: 1e9,
      look: async (items) => {
        if (items.length === 1) second ??= loop.add({ name: "b" });
        else for (const item of items) loop.settle(item, item.name);
        return false;
      },
    });
    let second: Promise<string> | undefined;
    expect(await loop.add({ name: "a" })).toBe("a");
    expect(await second).toBe("b");
    await loop.close(new Error("over"));
  });

  it("fails what still runs when it is closed", async () => {
    const loop = new WatchLoop<object, string>({ pollMs: 1, look: async () => false });
    const outcome = loop.add({});
    await Promise.all([expect(outcome).rejects.toThrow("interrupted"), loop.close(new Error("interrupted"))]);
  });
});
