/** The web page in a real browser, over real runs of a real server. */
import { writeFile } from "node:fs/promises";
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

/** Waits for a file, so that the test decides when it ends. */
const slow = `version 1.1
task hold {
  input { String gate }
  command <<<
    echo "waiting at the gate"
    while [ ! -e "~{gate}" ]; do sleep 0.1; done
  >>>
  output { String said = read_string(stdout()) }
}
workflow gated { input { String gate } call hold { input: gate } }
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
    await sandbox.write("slow.wdl", slow);
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

  it("shows when calls ran, how they hang together, and what they used", async () => {
    await open(`/runs/${titled}?tab=timeline`);
    await page.getByRole("region", { name: /^Timeline/ }).waitFor();
    await expectAccessible(page, "timeline");
    await picture(page, "timeline");
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.getByRole("button", { name: "Whole run" }).click();
    await page.getByRole("link", { name: "Graph" }).click();
    await page
      .getByRole("group", { name: "Graph of tasks" })
      .getByRole("link", { name: /join_all/ })
      .waitFor();
    await page.getByText("The same as a table").click();
    await page.getByRole("cell", { name: "join_all" }).waitFor();
    await expectAccessible(page, "graph");
    await picture(page, "graph");
    await page.getByRole("link", { name: "Inputs" }).click();
    await seen("Everybody");
    await expectAccessible(page, "inputs");
    await page.getByRole("link", { name: "Resources" }).click();
    await page.getByRole("cell", { name: "join_all" }).first().waitFor();
    await expectAccessible(page, "resources");
  });

  it("shows and previews what a run made", async () => {
    await open(`/runs/${titled}?tab=outputs`);
    await page.getByRole("link", { name: "all", exact: true }).click();
    await page.getByRole("link", { name: "all.txt", exact: true }).click();
    await page
      .getByRole("region", { name: /Content of/ })
      .getByText("hello Zoe")
      .waitFor();
    await expectAccessible(page, "outputs");
    await picture(page, "outputs");
  });

  it("traces an output back to the first inputs, and offers the run as a crate", async () => {
    const { out } = await sandbox.run("runs", "outputs", titled, "--json");
    const { outputs } = JSON.parse(out) as { readonly outputs: Readonly<Record<string, string>> };
    await open(`/runs/${titled}?tab=outputs`);
    const saved = page.waitForEvent("download");
    await page.getByRole("link", { name: "Workflow Run RO-Crate with the outputs" }).click();
    expect((await saved).suggestedFilename()).toBe(`${titled}.crate.zip`);
    await page.getByRole("link", { name: "Where a file came from…" }).click();
    await heading("Where a file came from").waitFor();
    await page.getByLabel("File or folder").fill(outputs["hello.all"] ?? "");
    await page.getByRole("button", { name: "Trace" }).click();
    await page.getByRole("heading", { name: "hello.join_all" }).waitFor();
    await page.getByRole("heading", { name: "hello.greet[2]" }).waitFor();
    await expectAccessible(page, "trace");
    await picture(page, "trace");
    await page.goto(`${server.url}/trace?file=%2Fnowhere`);
    await seen("FILE_NOT_FOUND");
  });

  it("explains why a call was computed, and where its files came from and went", async () => {
    await open(`/runs/${titled}`);
    await page.getByRole("link", { name: "hello.join_all" }).click();
    await heading("hello.join_all").waitFor();
    await page.getByRole("heading", { name: "What differs from the nearest recorded result" }).waitFor();
    await page.locator("ins", { hasText: "Everybody" }).first().waitFor();
    await page.getByRole("link", { name: "hello.greet[2]" }).first().waitFor();
    await expectAccessible(page, "computed call");
    await picture(page, "call");
    await page.getByRole("link", { name: "hello.greet[2]" }).first().click();
    await heading("hello.greet[2]").waitFor();
    await seen("An equal call was recorded");
    await seen("Nothing ran here");
    await page.getByRole("link", { name: second }).first().waitFor();
    await expectAccessible(page, "reused call");
    await open(`/runs/${failed}/calls/${encodeURIComponent("hello.greet[1]")}`);
    await page.getByRole("alert").waitFor();
    await page.getByRole("region", { name: "Standard error" }).getByText("working on nobody").waitFor();
    await expectAccessible(page, "failed call");
  });

  it("shows a run and the output of its task while they run", async () => {
    await open("/runs");
    const gate = sandbox.path("gate");
    const started = sandbox.start("run", "slow.wdl", `gate=${gate}`, ...words);
    const row = page.getByRole("table", { name: "Runs" }).getByRole("row").filter({ hasText: "gated" });
    await row.getByText("● running").waitFor();
    await row.getByRole("link").click();
    await page.getByRole("table", { name: "Calls" }).getByText("● running").waitFor();
    await page.getByRole("link", { name: "gated.hold" }).click();
    await page.getByRole("region", { name: "Standard output" }).getByText("waiting at the gate").waitFor();
    await page.goBack();
    await heading("gated").waitFor();
    await writeFile(gate, "");
    await page.getByRole("table", { name: "Calls" }).getByText("✓ computed").waitFor();
    await page.getByText("✓ succeeded").waitFor();
    expect((await started.ended).code).toBe(0);
  });

  it("shows hostile names and outputs as the text that they are", async () => {
    await open(`/runs/${loud}/calls/hostile.shout`);
    const output = page.getByRole("region", { name: "Standard output" });
    await output.waitFor();
    expect(await output.textContent()).not.toContain("\u001b");
    await expectAccessible(page, "hostile call");
    await open(`/runs/${loud}?tab=outputs&folder=page`);
    await page.getByRole("link", { name: "<img src=x onerror=alert(1)>.html", exact: true }).click();
    await page.locator("iframe").waitFor();
    await page.frameLocator("iframe").getByRole("heading", { name: "page" }).waitFor();
    expect(await page.locator("iframe").getAttribute("sandbox")).toBe("");
    expect(await page.title()).toContain("Memoir");
    expect(await page.locator("main img").count()).toBe(0);
    // What the sandbox refused, the browser reports.
    browsing.complaints.splice(0);
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

  it("says at a glance what has happened", async () => {
    await open("/");
    await heading("Home").waitFor();
    await page.getByRole("heading", { name: "Last failures" }).waitFor();
    await page.locator("main li").getByRole("link", { name: "hello" }).first().waitFor();
    await page.getByRole("cell", { name: "lab" }).waitFor();
    await page
      .getByRole("img", { name: /Calls a day/ })
      .locator("canvas")
      .waitFor();
    await expectAccessible(page, "home");
    await picture(page, "home");
  });

  it("compares two runs", async () => {
    await open("/runs");
    await page.getByRole("checkbox", { name: `Choose ${second}` }).check();
    await page.getByRole("checkbox", { name: `Choose ${titled}` }).check();
    await page.getByRole("link", { name: "Compare the two" }).click();
    await heading("Compare").waitFor();
    await page.getByRole("heading", { name: "Calls that differ" }).waitFor();
    await page.getByRole("link", { name: "hello.join_all" }).waitFor();
    await page.locator("ins, del").filter({ hasText: "Everybody" }).first().waitFor();
    await expectAccessible(page, "compare");
    await picture(page, "compare");
  });

  it("prunes a cache only after it has shown what would go", async () => {
    await open("/caches/lab?tab=prune");
    await page.getByLabel(/until the rest fits/).fill("0");
    await page.getByRole("button", { name: "Show what would go" }).click();
    await page.getByRole("heading", { name: "Preview" }).waitFor();
    await expectAccessible(page, "prune");
    await picture(page, "prune");
    const { entries } = await sandbox.json<{ entries: number }>("cache", "show", "lab");
    expect(entries).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Remove them…" }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /^Remove/ })
      .click();
    await seen(/^Removed \d+ entries/);
    expect((await sandbox.json<{ entries: number }>("cache", "show", "lab")).entries).toBe(0);
  });

  it("says what the server is and what is installed", async () => {
    await open("/settings");
    await heading("Settings").waitFor();
    await page.getByRole("heading", { name: "What is installed and reachable" }).waitFor();
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
    await seen(/\(this one\)/);
    await expectAccessible(page, "settings");
    await picture(page, "settings");
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
    expect(focused).toBe(await rows.nth(2).textContent());
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
  });

  it("can be read on a narrow screen", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const path of [
      "/runs",
      `/runs/${titled}`,
      `/runs/${titled}?tab=graph`,
      `/runs/${first}?tab=timeline`,
      "/caches/lab",
      "/caches/lab?tab=entries",
    ]) {
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
