import { describe, expect, it } from "vitest";
import { parseRedisUrl } from "./redis-url.ts";

describe("the address of a Redis server", () => {
  it.each([
    ["redis://localhost", "redis://localhost:6379/0"],
    ["redis://:secret@10.0.0.7:6380/5", "redis://10.0.0.7:6380/5"],
    ["valkey://host?db=2", "redis://host:6379/2"],
    ["rediss://user:secret@host/1?ca=/etc/ca.pem", "rediss://host:6379/1"],
    ["redis://[::1]:7000/0", "redis://[::1]:7000/0"],
    ["redis+unix:///run/redis.sock?db=3", "redis+unix:///run/redis.sock?db=3"],
    ["unix:///run/redis.sock", "redis+unix:///run/redis.sock?db=0"],
    ["redis+unix://user:secret@/run/redis.sock", "redis+unix:///run/redis.sock?db=0"],
  ])("%s is shown as %s, without secrets", (url, shown) => {
    expect(parseRedisUrl(url).shown).toBe(shown);
  });

  it("holds host, port, database, user, password and certificates", () => {
    expect(
      parseRedisUrl("rediss://us%40er:p%2Fw%3A@[::1]:7000/4?ca=/ca.pem&servername=redis.example"),
    ).toEqual({
      shown: "rediss://[::1]:7000/4",
      where: {
        kind: "tcp",
        host: "::1",
        port: 7000,
        tls: { ca: "/ca.pem", cert: undefined, key: undefined, servername: "redis.example" },
      },
      db: 4,
      username: "us@er",
      password: "p/w:",
    });
    expect(parseRedisUrl("redis+unix://:p%40w@/tmp/a%20b.sock?db=1")).toEqual({
      shown: "redis+unix:///tmp/a b.sock?db=1",
      where: { kind: "unix", path: "/tmp/a b.sock" },
      db: 1,
      username: undefined,
      password: "p@w",
    });
  });

  it.each([
    "",
    "localhost:6379",
    "http://host",
    "redis://",
    "redis://host/x",
    "redis://host/0?dbb=1",
    "redis+unix://relative/path",
    "unix:///",
    "redis+unix://:100%@/tmp/x",
    "redis://host/0/1",
    "redis://host/1?db=2",
    "redis://host?db=1&db=2",
    "redis://host/5#note",
    "redis://host/0?ca=/etc/ca.pem",
    "redis+unix:///run/redis.sock?ca=/etc/ca.pem",
    "redis://host:0/1",
  ])("%j is refused without repeating it", (url) => {
    expect(() => parseRedisUrl(url)).toThrow(expect.objectContaining({ code: "STORE_URL_INVALID" }));
  });
});
