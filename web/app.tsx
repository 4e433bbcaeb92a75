/** The frame of every view: where to go, who is asking, and the keys that work everywhere. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { apiPath, ask } from "./client.ts";
import { lazy } from "./lazy.tsx";
import { go, type Place, usePlace } from "./location.ts";
import { Home } from "./pages/home.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { HelpDialog } from "./parts/help.tsx";
import { isTyping } from "./parts/rows.tsx";
import { Empty, Loading, PageProblem } from "./parts/small.tsx";
import type { Session } from "./session.ts";
import { currentTheme, setTheme, type Theme } from "./theme.ts";
import { useAnswer } from "./use-answer.ts";

const Runs = lazy(async () => (await import("./pages/runs.tsx")).Runs);
const Run = lazy(async () => (await import("./pages/run.tsx")).Run);
const Call = lazy(async () => (await import("./pages/call.tsx")).Call);
const Caches = lazy(async () => (await import("./pages/caches.tsx")).Caches);
const Cache = lazy(async () => (await import("./pages/cache.tsx")).Cache);
const Predictions = lazy(async () => (await import("./pages/predictions.tsx")).Predictions);
const Model = lazy(async () => (await import("./pages/model.tsx")).Model);
const Compare = lazy(async () => (await import("./pages/compare.tsx")).Compare);
const ErrorCode = lazy(async () => (await import("./pages/errors.tsx")).ErrorCode);
const Trace = lazy(async () => (await import("./pages/trace.tsx")).Trace);
const Settings = lazy(async () => (await import("./pages/settings.tsx")).Settings);

const sections = [
  { path: "/", title: "Home", key: "h" },
  { path: "/runs", title: "Runs", key: "r" },
  { path: "/caches", title: "Caches", key: "c" },
  { path: "/predictions", title: "Predictions", key: "p" },
  { path: "/compare", title: "Compare", key: "d" },
  { path: "/settings", title: "Settings", key: "s" },
] as const;

export function App(): VNode {
  const place = usePlace();
  const session = useAnswer<Session>(apiPath(["session"]));
  const { data, problem } = session;
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  useKeys(() => setIsHelpOpen(true));
  const { path } = place;
  const lastPath = useRef(path);
  useEffect(() => {
    document.title = `${titleOf(path)} · Memoir`;
    // Whoever listens to the page hears that another view is there; its filters are not another view.
    if (lastPath.current !== path) main.current?.focus({ preventScroll: true });
    lastPath.current = path;
  }, [path]);
  useEffect(() => {
    const onEnded = () => session.again();
    addEventListener("memoir:signed-out", onEnded);
    return () => removeEventListener("memoir:signed-out", onEnded);
  }, [session.again]);
  const body = () => {
    if (problem !== undefined) return <PageProblem title="Memoir" problem={problem} again={session.again} />;
    if (data === undefined) return <Loading what="the page" />;
    if (!data.signedIn) return <SignIn session={data} place={place} onSignedIn={session.again} />;
    return <View place={place} />;
  };
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="/">
          <Logo /> Memoir
        </a>
        {data?.signedIn === true ? (
          <nav aria-label="Main">
            {sections.map((section) => (
              <a
                key={section.path}
                href={section.path}
                aria-current={isWithin(path, section.path) ? "page" : undefined}
              >
                {section.title}
              </a>
            ))}
          </nav>
        ) : null}
        <div class="end">
          {data?.signedIn === true && data.authentication === "access-keys" ? (
            <Account session={data} onSignedOut={session.again} />
          ) : null}
          <ThemeChoice />
          <button
            type="button"
            class="small"
            aria-label="Keys of this page"
            onClick={() => setIsHelpOpen(true)}
          >
            ?
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1} ref={main}>
        {body()}
      </main>
      {isHelpOpen ? <HelpDialog onClose={() => setIsHelpOpen(false)} sections={sections} /> : null}
    </>
  );
}

function View({ place }: { readonly place: Place }): VNode {
  const [, section = "", first, second, third] = place.path.split("/").map(decoded);
  if (section === "") return <Home />;
  if (section === "runs" && first === undefined) return <Runs place={place} />;
  if (section === "runs" && first !== undefined && second === "calls" && third !== undefined)
    return <Call key={place.path} run={first} call={third} />;
  if (section === "runs" && first !== undefined && second === undefined)
    return <Run key={first} id={first} place={place} />;
  if (section === "caches" && first === undefined) return <Caches />;
  if (section === "caches" && first !== undefined) return <Cache key={first} cache={first} place={place} />;
  if (section === "predictions" && first === undefined) return <Predictions />;
  if (section === "predictions" && first !== undefined)
    return <Model key={first} model={first} place={place} />;
  if (section === "compare") return <Compare place={place} />;
  if (section === "trace") return <Trace place={place} />;
  if (section === "settings") return <Settings />;
  if (section === "errors" && first !== undefined) return <ErrorCode key={first} code={first} />;
  return (
    <>
      <h1>There is no such page</h1>
      <Empty>
        Nothing is at <code>{place.path}</code>. <a href="/runs">Look at the runs</a>.
      </Empty>
    </>
  );
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

function isWithin(path: string, section: string): boolean {
  return section === "/" ? path === "/" : path === section || path.startsWith(`${section}/`);
}

function titleOf(path: string): string {
  const labels = path.split("/").slice(1).map(decoded);
  const section = sections.find((each) => each.path === `/${labels[0] ?? ""}`)?.title ?? "Not found";
  const last = labels.at(-1);
  if (labels[0] === "trace") return "Where a file came from";
  return labels.length > 1 && last !== undefined ? `${last} · ${section}` : section;
}

function ThemeChoice(): VNode {
  const [theme, setShown] = useState<Theme>(currentTheme);
  return (
    <select
      aria-label="Colours"
      value={theme}
      onChange={(event) => {
        const chosen = event.currentTarget.value as Theme;
        setTheme(chosen);
        setShown(chosen);
      }}
    >
      <option value="system">System</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}

function Account({ session, onSignedOut }: { readonly session: Session; onSignedOut(): void }): VNode {
  const signOut = () => {
    void ask(apiPath(["session", "end"]), { method: "POST" }).finally(onSignedOut);
  };
  return (
    <>
      <span class="quiet">
        Account {session.account}
        {session.operator === true ? " (administrator)" : ""}
      </span>
      <button type="button" class="small" onClick={signOut}>
        Sign out
      </button>
    </>
  );
}

function Logo(): VNode {
  return (
    <svg width="20" height="20" viewBox="0 0 16 16" aria-hidden="true">
      <rect width="16" height="16" rx="4" fill="#1f5fbf" />
      <path d="M4 11V5l4 4 4-4v6" fill="none" stroke="#fff" stroke-width="1.6" />
    </svg>
  );
}

/** `/` search, `?` help, `g` and a letter for a section. Rows move by themselves, see `rows.tsx`. */
function useKeys(onHelp: () => void): void {
  useEffect(() => {
    let pressedG = false;
    const onKey = (event: KeyboardEvent) => {
      // Escape leaves a search, so that the other keys work again.
      if (event.key === "Escape" && event.target instanceof HTMLInputElement) event.target.blur();
      if (isTyping(event)) return;
      const wasG = pressedG;
      pressedG = event.key === "g";
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>('input[type="search"]');
        if (search === null) return;
        event.preventDefault();
        search.focus();
        search.select();
      } else if (event.key === "?") onHelp();
      else if (wasG) {
        const section = sections.find(({ key }) => key === event.key);
        if (section !== undefined) go(section.path);
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
