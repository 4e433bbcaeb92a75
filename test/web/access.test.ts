/** Who may look: the link of one person, keys of a server, and what others are refused. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureBuilt } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type TestServer } from "../server/harness.ts";
import { chromiumRequirement, openBrowser } from "../servers/chromium.ts";
import { describeWith } from "../servers/requirement.ts";
import { browse, expectAccessible, picture } from "./browsing.ts";

const keys = [
  {
    ...{ accessKeyId: "AKIAADMIN00000000001", secretAccessKey: "admin-secret-0123456789" },
    ...{ account: "111111111111", operator: true },
  },
  {
    ...{ accessKeyId: "AKIAOTHER00000000002", secretAccessKey: "other-secret-0123456789" },
    account: "222222222222",
  },
];

describeWith([chromiumRequirement], "the web page of a server with access keys", () => {
  let folder: string;
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), "memoir-access-"));
    server = await openServer({ folder, keys });
    browser = await openBrowser();
  }, 4 * limitMs);
  afterAll(async () => {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  });

  it("asks for a key, refuses a wrong one, and ends a session", async () => {
    const { page, close } = await browse(browser, server.url);
    await page.goto(`${server.url}/runs`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expectAccessible(page, "sign in");
    await picture(page, "sign-in");
    await page.getByLabel("Access key ID").fill("AKIAADMIN00000000001");
    await page.getByLabel("Secret access key").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("CALLER_UNKNOWN").waitFor();
    await expectAccessible(page, "wrong key");
    await page.getByLabel("Secret access key").fill("admin-secret-0123456789");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    await page.getByText("Account 111111111111 (administrator)").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await close();
  });

  it("Settings shows and ends sessions; who was signed in there has to sign in again", async () => {
    const signedIn = async (path: string, key: (typeof keys)[number]) => {
      const browsing = await browse(browser, server.url);
      const { page } = browsing;
      await page.goto(`${server.url}${path}`);
      await page.getByLabel("Access key ID").fill(key.accessKeyId);
      await page.getByLabel("Secret access key").fill(key.secretAccessKey);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      return browsing;
    };
    const [admin, other] = keys as [(typeof keys)[number], (typeof keys)[number]];
    const here = await signedIn("/settings", admin);
    const followed = await signedIn("/runs", other);
    const mine = await signedIn("/runs", other);
    const still = await signedIn("/settings", admin);
    await here.page.reload();
    const panel = here.page
      .locator("section")
      .filter({ has: here.page.getByRole("heading", { name: "Sessions" }) });
    await panel.getByRole("columnheader", { name: "Last used" }).waitFor();
    await panel.getByText("222222222222").nth(1).waitFor();
    await expectAccessible(here.page, "sessions");
    const before = await panel.getByRole("button", { name: "End", exact: true }).count();
    // Newest first: the second account's last session is the second of the others.
    await panel
      .getByRole("row", { name: "222222222222" })
      .first()
      .getByRole("button", { name: "End" })
      .click();
    await mine.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expect.poll(() => panel.getByRole("button", { name: "End", exact: true }).count()).toBe(before - 1);
    await followed.page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    await panel.getByRole("button", { name: "End all others" }).click();
    await followed.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await panel.getByRole("button", { name: "End all others" }).waitFor({ state: "detached" });
    await still.page.getByRole("link", { name: "Runs" }).first().click();
    await still.page.getByRole("heading", { name: "Sign in" }).waitFor();
    await here.page.reload();
    await here.page.getByText("111111111111 (this one)").waitFor();
    for (const { complaints, close } of [here, followed, mine, still]) {
      expect(complaints).toEqual([]);
      await close();
    }
  });

  it("an account that is not an administrator does not see what belongs to the machine", async () => {
    const { page, close } = await browse(browser, server.url);
    await page.goto(`${server.url}/predictions`);
    await page.getByLabel("Access key ID").fill("AKIAOTHER00000000002");
    await page.getByLabel("Secret access key").fill("other-secret-0123456789");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("CALLER_NOT_OPERATOR").waitFor();
    await close();
  });

  it("a page of another origin can neither read nor change anything, though the browser is signed in", async () => {
    const { page, close } = await browse(browser, server.url);
    await page.goto(`${server.url}/runs`);
    await page.getByLabel("Access key ID").fill("AKIAADMIN00000000001");
    await page.getByLabel("Secret access key").fill("admin-secret-0123456789");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    const elsewhere = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>elsewhere</title>");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const { port } = elsewhere.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    const tried = await page.evaluate<readonly string[]>(`Promise.all([
      fetch("${server.url}/api/v1/runs", { credentials: "include" }),
      fetch("${server.url}/api/v1/runs/delete", {
        method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body: '{"runs":["1"]}',
      }),
      fetch("${server.url}/api/v1/runs/delete", {
        method: "POST", credentials: "include", headers: { "content-type": "application/json", "x-memoir-page": "1" },
        body: '{"runs":["1"]}',
      }),
    ].map((answer) => answer.then(() => "answered", () => "refused")))`);
    expect(tried).toEqual(["refused", "refused", "refused"]);
    await new Promise((resolve) => elsewhere.close(resolve));
    await close();
  });
});

describeWith([chromiumRequirement], "the web page of one person", () => {
  it("opens by its link once, and says what to type afterwards", async () => {
    ensureBuilt();
    const folder = await mkdtemp(join(tmpdir(), "memoir-access-"));
    const server = await openServer({ folder, serves: "page" });
    const browser = await openBrowser();
    const link = `${server.url}/runs${server.signInQuery()}`;
    const own = await browse(browser, server.url);
    await own.page.goto(link);
    await own.page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
    await own.page.getByText("No workflow has run yet.").waitFor();
    expect(own.page.url()).toBe(`${server.url}/runs`);
    await expectAccessible(own.page, "no runs");
    const other = await browse(browser, server.url);
    await other.page.goto(link);
    await other.page.getByText("This link was used already, or is too old.").waitFor();
    await expectAccessible(other.page, "used link");
    expect([...own.foreign, ...other.foreign]).toEqual([]);
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  });
});
