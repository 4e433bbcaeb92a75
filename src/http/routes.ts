/**
 * Routes as data: a method, a path with `{names}` in it, and what answers. A name stands for one segment, which is
 * percent-decoded. Where several paths match, the one with the fewest names is used.
 */

export interface Route {
  readonly method: "GET" | "POST";
  /** `/runs/{run}/events` */
  readonly path: string;
}

export type MatchedRoute<R extends Route> =
  | { readonly kind: "route"; readonly route: R; readonly labels: Readonly<Record<string, string>> }
  /** The path exists, with these methods. */
  | { readonly kind: "other-method"; readonly methods: readonly string[] }
  | { readonly kind: "unknown" };

export function matchRoute<R extends Route>(
  routes: readonly R[],
  method: string,
  rawPath: string,
): MatchedRoute<R> {
  const segments = rawPath.split("/").map(decoded);
  if (segments.some((segment) => segment === undefined)) return { kind: "unknown" };
  const fitting = routes
    .map((route) => ({ route, labels: labelsOf(route.path.split("/"), segments as readonly string[]) }))
    .filter(
      (found): found is { route: R; labels: Readonly<Record<string, string>> } => found.labels !== undefined,
    )
    .sort((a, b) => Object.keys(a.labels).length - Object.keys(b.labels).length);
  // HEAD is GET whose body is not sent.
  const asked = method === "HEAD" ? "GET" : method;
  const found = fitting.find(({ route }) => route.method === asked);
  if (found !== undefined) return { kind: "route", ...found };
  if (fitting.length === 0) return { kind: "unknown" };
  return { kind: "other-method", methods: [...new Set(fitting.map(({ route }) => route.method))] };
}

function labelsOf(
  template: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (template.length !== segments.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const segment = segments[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== segment : segment === "") return undefined;
    if (name !== undefined) labels[name] = segment;
  }
  return labels;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
