/**
 * From a request line to an operation. The host is never needed: method and path are unambiguous over every host prefix
 * of the service. Paths are matched as received; labels are decoded once.
 */
import { type Operation, type OperationName, operations, otherFamilies } from "./operations.ts";

export interface Routed {
  readonly operation: OperationName;
  /** Decoded path labels. */
  readonly labels: Readonly<Record<string, string>>;
}

export type RouteResult =
  | ({ readonly kind: "operation" } & Routed)
  /** Another family of the service, which is not served here. */
  | { readonly kind: "other-family" }
  | { readonly kind: "unknown" };

interface CompiledRoute {
  readonly name: OperationName;
  readonly method: string;
  readonly segments: readonly string[];
}

const routes: readonly CompiledRoute[] = Object.entries(operations as Readonly<Record<string, Operation>>)
  .map(([name, operation]) => ({
    name: name as OperationName,
    method: operation.method,
    segments: operation.path.split("/").slice(1),
  }))
  // Literal segments before labels: `/runBatch/cancel` is not a batch id.
  .sort((a, b) => labelCount(a.segments) - labelCount(b.segments));

/** `rawPath`: percent-encoded, without query. */
export function routeRequest(method: string, rawPath: string): RouteResult {
  const segments = rawPath.split("/").slice(1);
  for (const route of routes) {
    if (route.method !== method || route.segments.length !== segments.length) continue;
    const labels = matchSegments(route.segments, segments);
    if (labels !== undefined) return { kind: "operation", operation: route.name, labels };
  }
  const first = `/${segments[0] ?? ""}`.toLowerCase();
  return otherFamilies.some((family) => family.toLowerCase() === first)
    ? { kind: "other-family" }
    : { kind: "unknown" };
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const labels: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (!part.startsWith("{")) {
      if (part !== segment) return undefined;
      continue;
    }
    const decoded = decodeSegment(segment);
    if (decoded === undefined) return undefined;
    labels[part.slice(1, -1)] = decoded;
  }
  return labels;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function labelCount(segments: readonly string[]): number {
  return segments.filter((segment) => segment.startsWith("{")).length;
}
