/** The web page in a real browser, over real runs of a real server. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type TestServer } from "../server/harness.ts";
import { chromiumRequirement, openBrowser } from "../servers/chromium.ts";
import { describeWith } from "../servers/requirement.ts";
import { type Browsing, browse, expectAccessible, picture } from "./browsing.ts";

const wdl = `version 1.1
task greet {
  input { String name }
  command <<<
    echo "hello ~{name}"
    echo "working on ~{name}" >&2
    [ "~{name}" != nobody ]
  >>>
  output { File said = stdout() }
}
task join_all {
  input { Array[File] parts String title }
  command <<<
    echo "~{title}" > all.txt
    cat ~{sep=" " parts} >> all.txt
  >>>
  output { File all = "all.txt" }
}
workflow hello {
  input { Array[String] names String title = "All" }
  scatter (name in names) { call greet { input: name } }
  call join_all { input: parts = greet.said, title }
  output { File all = join_all.all }
}
`;

/** What a task may write to do harm to whoever looks at it. */
const hostile = `version 1.1
task shout {
  command <<<
    echo '<script>document.title="owned"</script><img src=x onerror=document.title="owned">'
    printf '\\033[31mred\\033[0m \\033]0;owned\\007\\n'
    head -c 1000000 /dev/zero | tr '\\0' x
    echo '<h1>page</h1><script>parent.document.title="owned"</script>' > '<img src=x onerror=alert(1)>.html'
  >>>
  output { File page = "<img src=x onerror=alert(1)>.html" String said = "done" }
}
workflow hostile { call shout output { File page = shout.page } }
`;

describeWith([chromiumRequirement], "the web page", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  let browser: Browser;
  let browsing: Browsing;
  let page: Page;
  const words = ["--executor", "host", "--cache-host-tasks", "--cache", "lab"];
  /** Oldest first: all computed; one more name; a failure; another title; hostile texts. */
  let [first, second, failed, titled, loud] = ["", "", "", "", ""];

  async function run(workflow: string, ...inputs: readonly string[]): Promise<string> {
    await sandbox.run("run", workflow, ...inputs, ...words);
    const { runs } = await sandbox.json<{ runs: readonly { id: string }[] }>("runs", "list", "--limit", "1");
    return runs[0]?.id ?? "";
  }

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("hello.wdl", wdl);
    await sandbox.write("hostile.wdl", hostile);
    await sandbox.json("cache", "create", "lab", "--location", sandbox.path("lab"));
    first = await run("hello.wdl", 'names=["Ada","Bob"]');
    second = await run("hello.wdl", 'names=["Ada","Bob","Zoe"]');
    failed = await run("hello.wdl", 'names=["Ada","nobody"]');
    titled = await run("hello.wdl", 'names=["Ada","Bob","Zoe"]', "title=Everybody");
    loud = await run("hostile.wdl");
    server = await openServer({ folder: sandbox.folder, serves: "page" });
    browser = await openBrowser();
    browsing = await browse(browser, server.url, { query: server.signInQuery() });
    ({ page } = browsing);
  }, 8 * limitMs);
  afterAll(async () => {
    await browser.close();
    await server.close();
    expect(server.bugs).toEqual([]);
    expect(browsing.complaints).toEqual([]);
    expect(browsing.foreign).toEqual([]);
  });

  const open = (path: string) => page.goto(`${server.url}${path}`);
  const heading = (name: string | RegExp) => page.getByRole("heading", { level: 1, name });
  const seen = (text: string | RegExp) => page.getByText(text).first().waitFor();

  it("lists runs, each with its state and what was reused", async () => {
    await open("/runs");
    await heading("Runs").waitFor();
    const rows = page.getByRole("table", { name: "Runs" }).getByRole("row");
    await rows.filter({ hasText: titled }).getByText("succeeded").waitFor();
    await rows.filter({ hasText: titled }).getByText("3 reused, 1 computed").waitFor({ state: "attached" });
    await rows.filter({ hasText: failed }).getByText("✕ failed").waitFor();
    await expectAccessible(page, "runs");
    await picture(page, "runs");
    await page.getByLabel("State").selectOption("failed");
    await page.waitForURL(/state=failed/);
    await page.getByText("1 run", { exact: true }).waitFor();
    await page.reload();
    await rows.filter({ hasText: failed }).waitFor();
    await page.getByText("1 run", { exact: true }).waitFor();
    expect(await rows.count()).toBe(2);
  });

  it("shows a run with its calls by task, which fold and filter", async () => {
    await open(`/runs/${titled}`);
    await heading("hello").waitFor();
    const calls = page.getByRole("table", { name: "Calls" });
    await calls.getByRole("link", { name: "hello.greet[2]" }).waitFor();
    await expectAccessible(page, "run");
    await picture(page, "run");
    await calls.getByRole("button", { name: "greet" }).click();
    await calls.getByRole("link", { name: "hello.greet[2]" }).waitFor({ state: "detached" });
    await page.getByLabel("State").selectOption("computed");
    await calls.getByRole("link", { name: "hello.join_all" }).waitFor();
    expect(await calls.getByRole("row").count()).toBe(3);
  });

  it("shows the log of a run", async () => {
    await open(`/runs/${titled}?tab=log`);
    const log = page.getByRole("table", { name: "Log" });
    await log.getByText("run.ended").waitFor();
    await expectAccessible(page, "log");
    await page.getByRole("searchbox").fill("reused");
    await log.getByText("run.ended").waitFor({ state: "detached" });
    await log.getByText("call.reused").first().waitFor();
  });

  it("shows what a cache holds", async () => {
    await open("/caches");
    await page.getByRole("link", { name: "lab" }).click();
    await heading("lab").waitFor();
    await page
      .getByRole("link", { name: /join_all/ })
      .first()
      .waitFor();
    await expectAccessible(page, "cache");
    await picture(page, "cache");
    await page
      .getByRole("navigation", { name: "Parts of the cache" })
      .getByRole("link", { name: /Entries/ })
      .click();
    const entries = page.getByRole("table", { name: "Entries" });
    await entries.getByRole("link", { name: "hello.greet[0]" }).first().waitFor();
    await expectAccessible(page, "entries");
    await page.getByRole("link", { name: "Checks" }).click();
    await page.getByRole("button", { name: "Verify now" }).click();
    await seen(/entries were checked; \d+ are sound\./);
    await expectAccessible(page, "checks");
  });

  it("says which models have stored predictions, and how to get some", async () => {
    await open("/predictions");
    await heading("Predictions").waitFor();
    await seen("No prediction is stored yet.");
    await expectAccessible(page, "predictions");
  });

  it("is driven by keys", async () => {
    await open("/runs");
    const rows = page.getByRole("table", { name: "Runs" }).getByRole("row");
    await rows.filter({ hasText: titled }).waitFor();
    await page.keyboard.press("/");
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe("Search runs");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    const focused = await page.evaluate('document.activeElement.closest("[role=row]")?.textContent');
    expect(focused).toContain(titled);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys of this page" }).waitFor();
    await expectAccessible(page, "help");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await heading("Caches").waitFor();
  });

  it("says what is missing for an address that leads nowhere", async () => {
    await open("/runs/20990101-000000-none");
    await page.getByRole("alert").getByText("RUN_NOT_FOUND").waitFor();
    await expectAccessible(page, "missing run");
    expect([first, second, loud].every((id) => id !== "")).toBe(true);
  });

  it("can be read on a narrow screen", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of ["/runs", `/runs/${titled}`, "/caches/lab", "/caches/lab?tab=entries"]) {
      await open(path);
      await page.locator("h1").waitFor();
      await page.waitForLoadState("networkidle");
      const [wide, whole] = await page.evaluate<readonly [number, number]>(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
      );
      expect(wide, path).toBeLessThanOrEqual(whole);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});
