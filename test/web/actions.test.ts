/** What people do on the web page: run again, change inputs, pin, compute again, set prices; runs of CWL and of the server. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type TestServer } from "../server/harness.ts";
import { get, start, workflow } from "../server/plain-client.ts";
import { chromiumRequirement, openBrowser } from "../servers/chromium.ts";
import { describeWith } from "../servers/requirement.ts";
import { type Browsing, browse, expectAccessible, picture } from "./browsing.ts";

const wdl = `version 1.1
task greet {
  input { String name  Int times = 1 }
  command <<< for i in $(seq ~{times}); do echo "hello ~{name}"; done >>>
  output { File said = stdout() }
}
workflow hello {
  input { String name  Int times = 1 }
  call greet { input: name, times }
  output { File said = greet.said }
}
`;

const cwl = `cwlVersion: v1.2
class: CommandLineTool
id: count
baseCommand: [wc, -w]
inputs:
  text: { type: File, inputBinding: { position: 1 } }
outputs:
  counted: { type: stdout }
stdout: counted.txt
`;

describeWith([chromiumRequirement], "what people do on the web page", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  let browser: Browser;
  let browsing: Browsing;
  let page: Page;
  let [first, counted, ofServer] = ["", "", ""];

  async function run(...words: readonly string[]): Promise<string> {
    const options = ["--executor", "host", "--cache-host-tasks", "--json"];
    const { code, out, err } = await sandbox.run("run", ...words, ...options);
    expect(code, err).toBe(0);
    return String((JSON.parse(out) as { readonly run: string }).run);
  }

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.write("hello.wdl", wdl);
    await sandbox.write("count.cwl", cwl);
    await sandbox.write("text.txt", "one two three\n");
    first = await run("hello.wdl", "name=Ada");
    counted = await run("count.cwl", "text=text.txt");
    server = await openServer({ folder: sandbox.folder });
    const id = await workflow(server, { "main.wdl": wdl });
    const request = { name: "of the server", parameters: { name: "Eve" }, tags: { project: "malaria" } };
    ofServer = String((await start(server, id, request))["id"]);
    await vi.waitFor(
      async () => expect((await get(server, `/run/${ofServer}`))["status"]).toBe("COMPLETED"),
      { timeout: 2 * limitMs, interval: 50 },
    );
    browser = await openBrowser();
    browsing = await browse(browser, server.url, { query: server.signInQuery() });
    ({ page } = browsing);
  }, 6 * limitMs);
  afterAll(async () => {
    await browser.close();
    await server.close();
    expect(server.bugs).toEqual([]);
    expect(browsing.complaints).toEqual([]);
    expect(browsing.foreign).toEqual([]);
  });
  const open = (path: string) => page.goto(`${server.url}${path}`);
  /** The page of a run that has just begun, when it has ended. */
  async function begun(): Promise<string> {
    await page.waitForURL((url) => /^\/runs\/[^/]+$/.test(url.pathname) && !url.pathname.endsWith(first));
    await page.getByText("✓ succeeded").waitFor();
    return new URL(page.url()).pathname.slice("/runs/".length);
  }

  it("a run is run again as it was", async () => {
    await open(`/runs/${first}`);
    await page.getByRole("link", { name: "Run again…" }).click();
    await page.getByRole("heading", { name: "With other inputs" }).waitFor();
    await expectAccessible(page, "run again");
    await picture(page, "again");
    await page.getByRole("button", { name: "Run again", exact: true }).click();
    await begun();
    await page.getByRole("table", { name: "Calls" }).getByText("↺ reused").waitFor();
  });

  it("a run is run again with another input, and wrong ones are said", async () => {
    await open(`/runs/${first}?tab=again`);
    await page.getByLabel(/times$/).fill("many");
    await page.getByRole("button", { name: "Run with these inputs" }).click();
    await page.getByRole("alert").getByRole("link", { name: "WORKFLOW_INPUTS_INVALID" }).waitFor();
    await expectAccessible(page, "wrong inputs");
    await page.getByLabel(/times$/).fill("2");
    await page.getByRole("button", { name: "Run with these inputs" }).click();
    const changed = await begun();
    await page.getByRole("table", { name: "Calls" }).getByText("✓ computed").waitFor();
    await open(`/compare?a=${first}&b=${changed}`);
    await page.getByRole("heading", { name: "Inputs that differ" }).waitFor();
    await page.getByRole("cell", { name: "2", exact: true }).waitFor();
  });

  it("a call is pinned, unpinned, and computed again", async () => {
    await open(`/runs/${first}/calls/hello.greet`);
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("button", { name: "Unpin" }).waitFor();
    await page.getByText("pinned", { exact: true }).waitFor();
    await expectAccessible(page, "pinned call");
    await page.getByRole("button", { name: "Unpin" }).click();
    await page.getByRole("button", { name: "Pin", exact: true }).waitFor();
    await page.getByRole("button", { name: "Compute again…" }).click();
    await expectAccessible(page, "question");
    await page.getByRole("dialog").getByRole("button", { name: "Compute again" }).click();
    await begun();
    await page.getByRole("table", { name: "Calls" }).getByText("✓ computed").waitFor();
  });

  it("with prices, home shows what reuse saved as money", async () => {
    await open("/settings");
    await page.getByLabel("A CPU for an hour").fill("1000");
    await page.getByLabel("Currency").fill("CHF");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.", { exact: true }).waitFor();
    await expectAccessible(page, "prices");
    await open("/");
    await page.getByText("Money saved").first().waitFor();
    await page
      .getByText(/^\d+\.\d+ CHF$/)
      .first()
      .waitFor();
    await expectAccessible(page, "home with money");
  });

  it("runs are sorted, and found by a tag", async () => {
    await open("/runs");
    const rows = page.getByRole("table", { name: "Runs" }).getByRole("row");
    await rows.filter({ hasText: "of the server" }).waitFor();
    await page.getByLabel("Sort").selectOption("oldest");
    await page.waitForURL(/sort=oldest/);
    await rows.nth(1).filter({ hasText: first }).waitFor();
    await rows.getByRole("link", { name: "project=malaria" }).click();
    await page.getByText("1 run", { exact: true }).waitFor();
    await expectAccessible(page, "runs with a tag");
    await page.getByLabel("Tag").fill("project=other");
    await page.getByLabel("Tag").press("Enter");
    await page.getByText("No run fits these filters.").waitFor();
  });

  it("a run of CWL and one of the server have the same pages", async () => {
    await open(`/runs/${counted}`);
    await page.getByRole("table", { name: "Calls" }).getByText("✓ computed").waitFor();
    await expectAccessible(page, "run of CWL");
    await page.getByRole("table", { name: "Calls" }).getByRole("link").first().click();
    await page.getByRole("region", { name: "Command", exact: true }).getByText("wc").waitFor();
    await page.getByRole("heading", { name: "Files that came out" }).waitFor();
    await expectAccessible(page, "call of CWL");
    await open(`/runs/${counted}?tab=outputs`);
    await page.getByRole("link", { name: "counted", exact: true }).click();
    await page.getByRole("link", { name: "counted.txt", exact: true }).waitFor();
    await open(`/runs/${ofServer}`);
    await page.getByRole("table", { name: "Calls" }).getByRole("link", { name: "hello.greet" }).waitFor();
    await expectAccessible(page, "run of the server");
    for (const tab of ["timeline", "graph", "inputs", "outputs", "log", "resources"]) {
      await open(`/runs/${ofServer}?tab=${tab}`);
      await page.getByRole("heading", { level: 1, name: "main" }).or(page.locator("h1")).first().waitFor();
      await page.getByRole("status").filter({ hasText: "Loading" }).waitFor({ state: "detached" });
      expect(await page.getByRole("alert").count(), tab).toBe(0);
      await expectAccessible(page, `${tab} of the server`);
    }
    await open(`/runs/${ofServer}?tab=again`);
    await page.getByText(`aws omics start-run --run-id ${ofServer}`).waitFor();
    await expectAccessible(page, "again of the server");
  });

  it("can be read at 200 % zoom", async () => {
    // A window of 1280 pixels shows 640 of the page at twice the size.
    const zoomed = await browser.newContext({
      ...{ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
      storageState: await browsing.context.storageState(),
    });
    zoomed.setDefaultTimeout(limitMs);
    const large = await zoomed.newPage();
    for (const path of ["/", "/runs", `/runs/${first}`, `/runs/${first}?tab=again`, "/caches", "/settings"]) {
      await large.goto(`${server.url}${path}`);
      await large.locator("h1").waitFor();
      await large.getByRole("status").filter({ hasText: "Loading" }).waitFor({ state: "detached" });
      const [wide, whole] = await large.evaluate<readonly [number, number]>(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
      );
      expect(wide, path).toBeLessThanOrEqual(whole);
    }
    await zoomed.close();
  });

  it("a page whose session has ended says how to open it again", async () => {
    const other = await browse(browser, server.url, { query: server.signInQuery() });
    await other.page.getByRole("heading", { level: 1, name: "Home" }).waitFor();
    await other.context.clearCookies();
    await other.page.getByRole("link", { name: "Caches", exact: true }).click();
    await other.page.getByText("memoir ui", { exact: true }).waitFor();
    await expectAccessible(other.page, "ended session");
    await other.close();
  });

  it("a foreign name for this machine gets neither the page nor data", async () => {
    const { port } = new URL(server.url);
    const misled = await openBrowser("--host-resolver-rules=MAP rebound.attacker.com 127.0.0.1");
    const other = await browse(misled, `http://rebound.attacker.com:${port}`);
    for (const path of ["/", "/runs", "/api/v1/runs"]) {
      const answer = await other.page.goto(`http://rebound.attacker.com:${port}${path}`);
      expect(answer?.status(), path).toBe(403);
    }
    await misled.close();
  });
});
