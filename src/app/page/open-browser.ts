/**
 * Shows an address in the user's browser. The address is in a file that only its user can read: the words of a process
 * can be read by everybody on the machine, and the address signs in.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { makeFolders } from "../../files/index.ts";
import { findProgram } from "../../process/index.ts";
import type { Environment } from "../environment.ts";
import { writeOwn } from "./page-file.ts";

/** Whether a browser was started. */
export async function openBrowser(
  url: string,
  environment: Pick<Environment, "home" | "programs">,
): Promise<boolean> {
  const words = await browserOf(environment.programs);
  const [program, ...others] = words ?? [];
  if (program === undefined) return false;
  const file = join(environment.home, "server", "open-page.html");
  await makeFolders(join(environment.home, "server"));
  await writeOwn(file, pageThatLeadsTo(url));
  const child = spawn(program, [...others, pathToFileURL(file).href], {
    detached: true,
    stdio: "ignore",
    env: { ...environment.programs },
  });
  return new Promise((resolve) => {
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
    child.once("error", () => resolve(false));
  });
}

/** `BROWSER` as other programs read it, else the system's own command. undefined = there is no screen to show it on. */
async function browserOf(env: Environment["programs"]): Promise<readonly string[] | undefined> {
  const named = env["BROWSER"]?.split(" ").filter((word) => word !== "" && word !== "%s");
  if (named !== undefined && named.length > 0) return named;
  if (process.platform === "darwin") return ["open"];
  if ((env["DISPLAY"] ?? env["WAYLAND_DISPLAY"] ?? "") === "") return undefined;
  const found = await findProgram("xdg-open", env, "/");
  return found === undefined ? undefined : [found];
}

function pageThatLeadsTo(url: string): string {
  const text = url.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${text}">
<title>Memoir</title>
<p><a href="${text}">Open the page of Memoir</a>
`;
}
