/** Predictions on the web page: what is stored, one molecule, its neighbours, and a whole file. */
import { readFile, writeFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { openServer, type TestServer } from "../server/harness.ts";
import { chromiumRequirement, openBrowser } from "../servers/chromium.ts";
import { describeWith } from "../servers/requirement.ts";
import { type Browsing, browse, expectAccessible, picture } from "./browsing.ts";

const esters = ["CCOC(=O)c1ccccc1", "CCCOC(=O)c1ccccc1", "CCCCOC(=O)c1ccccc1", "CCN", "CCO"];

describeWith([chromiumRequirement], "predictions on the web page", () => {
  let sandbox: Sandbox;
  let server: TestServer;
  let browser: Browser;
  let browsing: Browsing;
  let page: Page;
  beforeAll(async () => {
    sandbox = await Sandbox.create();
    await sandbox.inputs("in.csv", esters);
    const { code, err } = await sandbox.run("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "out.csv");
    expect(code, err).toBe(0);
    server = await openServer({ folder: sandbox.folder, serves: "page" });
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

  it("lists models with their stored rows", async () => {
    await open("/predictions");
    const row = page.getByRole("row").filter({ hasText: "eos3b5e" });
    await row.getByRole("cell", { name: "5", exact: true }).waitFor();
    await expectAccessible(page, "predictions");
    await picture(page, "predictions");
    await row.getByRole("link", { name: "eos3b5e" }).click();
    await page.getByRole("heading", { level: 1, name: "eos3b5e" }).waitFor();
    await page.getByRole("heading", { name: "Distributions" }).waitFor();
    await page.getByText("No file was sent yet.").waitFor();
    await expectAccessible(page, "model");
  });

  it("draws a molecule, shows its values and how to find similar ones, and then those", async () => {
    await open("/predictions/eos3b5e");
    await page.getByLabel("Molecule as SMILES").fill("CCOC(=O)c1ccccc1");
    await page.getByRole("button", { name: "Look up" }).click();
    await page.getByRole("img", { name: "Structure of CCOC(=O)c1ccccc1" }).waitFor();
    await page.getByText(/From the local cache, computed/).waitFor();
    await page.getByText("There is no index of similar molecules yet.").waitFor();
    await sandbox.json("similar", "eos3b5e", "-i", "in.csv");
    await page.reload();
    const nearest = page.getByRole("link", { name: "CCCOC(=O)c1ccccc1", exact: true });
    await nearest.waitFor();
    await page.getByRole("img", { name: "Structure of CCOC(=O)c1ccccc1" }).waitFor();
    await page.getByRole("heading", { name: "Distributions" }).waitFor();
    await expectAccessible(page, "molecule");
    await picture(page, "model");
    await nearest.click();
    await page.getByRole("img", { name: "Structure of CCCOC(=O)c1ccccc1" }).waitFor();
    await open("/predictions/eos3b5e?input=not%20a%20molecule");
    await page.getByText("This is not a molecule.").waitFor();
    await expectAccessible(page, "not a molecule");
  });

  it("predicts for a file that is chosen, and offers the result", async () => {
    await writeFile(sandbox.path("more.csv"), `smiles\n${[...esters, "CCCCC"].join("\n")}\n`);
    await open("/predictions/eos3b5e");
    await page.getByLabel(/CSV or TSV file/).setInputFiles(sandbox.path("more.csv"));
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    const job = page.getByRole("listitem").filter({ hasText: "more.csv" });
    await job.getByText("✓ succeeded").waitFor();
    await job.getByText("5 reused, 1 computed").waitFor();
    await expectAccessible(page, "file");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      job.getByRole("link", { name: "Download more.csv" }).click(),
    ]);
    const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
    expect(lines.length).toBe(7);
    expect(lines.at(-1)).toContain("CCCCC");
    await job.getByRole("button", { name: "Delete more.csv" }).click();
    await expectAccessible(page, "delete a file");
    await page.getByRole("dialog").getByRole("button", { name: "Delete the file" }).click();
    await page.getByText("No file was sent yet.").waitFor();
  });

  it("says why a file cannot be predicted for, with a link to what to do", async () => {
    await writeFile(sandbox.path("wrong.csv"), "a,b\n1,2\n");
    await open("/predictions/eos3b5e");
    await page.getByLabel(/CSV or TSV file/).setInputFiles(sandbox.path("wrong.csv"));
    await page.getByRole("button", { name: "Predict", exact: true }).click();
    const job = page.getByRole("listitem").filter({ hasText: "wrong.csv" });
    await job.getByText("✕ failed").waitFor();
    await expectAccessible(page, "failed file");
    const code = job.getByRole("link", { name: /^[A-Z_]+$/ });
    const name = await code.textContent();
    await code.click();
    await page.getByRole("heading", { level: 1, name: name ?? "" }).waitFor();
    await page.getByRole("heading", { name: "What to do" }).waitFor();
    await expectAccessible(page, "error code");
  });
});
