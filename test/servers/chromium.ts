/** Debian's Chromium, driven by playwright-core: the web page in a real browser. */
import type { Browser } from "playwright-core";
import { findProgram, type Requirement } from "./requirement.ts";

export const chromiumRequirement: Requirement = {
  name: "Chromium",
  programs: ["chromium"],
  debianPackages: ["chromium"],
};

export async function openBrowser(...more: readonly string[]): Promise<Browser> {
  // What only installs servers does without it.
  const { chromium } = await import("playwright-core");
  return chromium.launch({
    executablePath: findProgram("chromium") ?? "chromium",
    // Chromium does not start its sandbox as root, and containers have little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...more],
  });
}
