/** Answers of the server as state of a component. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, type Problem, problemOf } from "./client.ts";

export interface Asked<T> {
  /** The last answer; stays while it is asked again. */
  readonly data?: T | undefined;
  readonly problem?: Problem | undefined;
  readonly isLoading: boolean;
  again(): void;
}

interface State<T> {
  readonly path: string | undefined;
  readonly data?: T | undefined;
  readonly problem?: Problem | undefined;
}

/** undefined asks nothing. */
export function useAnswer<T>(path: string | undefined): Asked<T> {
  const [state, setState] = useState<State<T>>({ path: undefined });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    ask<T>(path, { signal: stop.signal }).then(
      (data) => {
        if (!stop.signal.aborted) setState({ path, data });
      },
      (error: unknown) => {
        if (!stop.signal.aborted)
          setState((before) => ({
            path,
            data: before.path === path ? before.data : undefined,
            problem: problemOf(error),
          }));
      },
    );
    return () => stop.abort();
  }, [path, round]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  const isCurrent = state.path === path;
  return {
    data: isCurrent ? state.data : undefined,
    problem: isCurrent ? state.problem : undefined,
    isLoading: path !== undefined && !isCurrent,
    again,
  };
}

export interface Pages<T> {
  readonly rows: readonly T[];
  /** Of all pages, where the server counts them. */
  readonly total?: number | undefined;
  readonly problem?: Problem | undefined;
  readonly isLoading: boolean;
  readonly isComplete: boolean;
  /** The next page. */
  more(): void;
  /** All pages that are shown, from the start. */
  again(): void;
}

interface Paged<T> {
  readonly path: string | undefined;
  readonly rows: readonly T[];
  readonly total?: number | undefined;
  readonly cursor?: string | undefined;
  readonly problem?: Problem | undefined;
  readonly isComplete: boolean;
}

type PageAnswer = Readonly<Record<string, unknown>> & {
  readonly nextCursor?: string;
  readonly total?: number;
};

/**
 * A list that is paged by cursor. The first page is small, so that it is shown soon; with `all` the others follow by
 * themselves.
 */
export function usePages<T>(
  path: string | undefined,
  member: string,
  options: { readonly all?: boolean; readonly first?: number; readonly next?: number } = {},
): Pages<T> {
  const { all = false, first = 200, next = 1000 } = options;
  const empty: Paged<T> = { path, rows: [], isComplete: false };
  const [state, setState] = useState<Paged<T>>(empty);
  const [wanted, setWanted] = useState(1);
  const [round, setRound] = useState(0);
  const shown = useRef(0);
  const current = state.path === path ? state : empty;
  shown.current = current.rows.length;

  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    const again = shown.current;
    const load = async () => {
      let rows: readonly T[] = [];
      let cursor: string | undefined;
      let total: number | undefined;
      do {
        // What is shown already is loaded in few large pages and replaced at once.
        const limit = again > first || rows.length > 0 ? next : first;
        const page: PageAnswer = await ask(withQuery(path, { limit, cursor }), { signal: stop.signal });
        if (stop.signal.aborted) return;
        rows = [...rows, ...((page[member] ?? []) as readonly T[])];
        ({ nextCursor: cursor, total } = page);
        const { length } = rows;
        if (length < again && cursor !== undefined) continue;
        setState({ path, rows, total, cursor, isComplete: cursor === undefined });
      } while (cursor !== undefined && (all || rows.length < again));
    };
    load().catch((error: unknown) => {
      if (!stop.signal.aborted)
        setState((before) => ({
          ...(before.path === path ? before : { path, rows: [] }),
          ...{ problem: problemOf(error), isComplete: true },
        }));
    });
    return () => stop.abort();
  }, [path, round]);

  useEffect(() => {
    const { cursor } = current;
    if (path === undefined || cursor === undefined || all || wanted <= 1) return;
    const stop = new AbortController();
    ask<PageAnswer>(withQuery(path, { limit: next, cursor }), { signal: stop.signal }).then(
      (page) => {
        if (stop.signal.aborted) return;
        setState((before) =>
          before.path !== path || before.cursor !== cursor
            ? before
            : {
                path,
                rows: [...before.rows, ...((page[member] ?? []) as readonly T[])],
                total: page.total ?? before.total,
                cursor: page.nextCursor,
                isComplete: page.nextCursor === undefined,
              },
        );
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState((before) => ({ ...before, problem: problemOf(error) }));
      },
    );
    return () => stop.abort();
  }, [wanted]);

  return {
    rows: current.rows,
    total: current.total,
    problem: current.problem,
    isLoading: path !== undefined && state.path !== path,
    isComplete: current.isComplete,
    more: useCallback(() => setWanted((count) => count + 1), []),
    again: useCallback(() => setRound((count) => count + 1), []),
  };
}

function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const words = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return `${path}${path.includes("?") ? "&" : "?"}${words.join("&")}`;
}
