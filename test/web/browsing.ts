/** A page of a real browser on a server of the test, and what every view must fulfil. */
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { limitMs } from "../limit.mjs";

const axeSource = axe.source;

export interface Browsing {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page complained about: errors of scripts, refusals of the content security policy. */
  readonly complaints: string[];
  /** Requests that left the server that the page came from. */
  readonly foreign: readonly string[];
  close(): Promise<void>;
}

export async function browse(
  browser: Browser,
  origin: string,
  options: { readonly width?: number; readonly query?: string } = {},
): Promise<Browsing> {
  const { width = 1280, query } = options;
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
  });
  context.setDefaultTimeout(limitMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // Chromium writes one for every answer that is an error, which tests of refusals want to see.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:") && !url.startsWith("blob:"))
      foreign.push(url);
  });
  if (query !== undefined) await page.goto(`${origin}/${query}`);
  return { context, page, complaints, foreign, close: () => context.close() };
}

/** Runs axe-core with the rules of WCAG 2.2 AA and its best practices, in both themes. */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await page.evaluate(axeSource);
    const findings = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        readonly axe: { run(): Promise<{ violations: readonly Violation[] }> };
      };
      interface Violation {
        readonly id: string;
        readonly help: string;
        readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
      }
      const { violations } = await axe.run();
      return violations.map(({ id, help, nodes }) => ({
        id,
        help,
        nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 300)} ${failureSummary}`),
      }));
    });
    expect(findings, `${where}, ${theme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

const pictures = fileURLToPath(new URL("../../docs/images/web", import.meta.url));

/** For docs/web.md, when MEMOIR_SCREENSHOTS=1 asks for new ones. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env["MEMOIR_SCREENSHOTS"] !== "1") return;
  await page.screenshot({ path: `${pictures}/${name}.png`, animations: "disabled" });
}
