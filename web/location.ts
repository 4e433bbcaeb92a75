/** Where the page is: every view has its own link, with its filters in the query. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

const moved = "memoir:moved";

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const look = () => setPlace(here());
    addEventListener("popstate", look);
    addEventListener(moved, look);
    return () => {
      removeEventListener("popstate", look);
      removeEventListener(moved, look);
    };
  }, []);
  return place;
}

export function go(href: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", href);
  else history.replaceState(null, "", href);
  dispatchEvent(new Event(moved));
}

/** Changes parts of the query; undefined removes one. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes))
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  const words = query.toString();
  go(words === "" ? location.pathname : `${location.pathname}?${words}`, "replace");
}

/** `/runs/ID/calls/PATH`: labels may hold slashes and are encoded whole. */
export function href(...labels: readonly string[]): string {
  return `/${labels.map(encodeURIComponent).join("/")}`;
}

/** Opens links to views of this page without loading it again. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest("a");
    if (link === null || link === undefined || link.target !== "" || link.hasAttribute("download")) return;
    if (link.origin !== location.origin || link.pathname.startsWith("/api/")) return;
    if (link.getAttribute("href")?.startsWith("#") === true) return;
    event.preventDefault();
    go(link.pathname + link.search);
    scrollTo(0, 0);
  });
}
