/** The current address. It is the only state that outlasts a view, so that Back works and an address can be shared. */
import { useEffect, useState } from "preact/hooks";

const ROOT = "/console";

export interface Place {
  /** Below `/console`, without a slash at its end: `""` for the overview, `/dead-letters`, `/events/<id>`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Fired on `window` after each change of the address that `go` makes. */
const MOVED = "console:moved";

/** Scroll positions by history entry, so that Back returns to the same row. They last as long as the page. */
const positions = new Map<string, number>();

/** Returns the place in the address bar; the component renders again when it changes. */
export function usePlace(): Place {
  const [href, setHref] = useState(location.href);
  useEffect(() => {
    const follow = () => setHref(location.href);
    addEventListener("popstate", follow);
    addEventListener(MOVED, follow);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener(MOVED, follow);
    };
  }, []);
  return placeOf(new URL(href));
}

function placeOf({ pathname, searchParams }: URL): Place {
  return { path: pathname.slice(ROOT.length).replace(/\/+$/, ""), query: searchParams };
}

/** Moves to an address of the console. With `replace`, Back skips the current one. */
export function go(href: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const isOtherView = new URL(href, location.href).pathname !== location.pathname;
  const state = { key: replace && !isOtherView ? keyNow() : crypto.randomUUID() };
  if (replace) history.replaceState(state, "", href);
  else history.pushState(state, "", href);
  dispatchEvent(new Event(MOVED));
  if (isOtherView) afterRender(startOfView);
}

/** Makes every link to the console navigate inside it, and stores the scroll positions. Call it once. */
export function followLinks(): void {
  history.scrollRestoration = "manual";
  if (keyNow() === "") history.replaceState({ key: crypto.randomUUID() }, "");
  addEventListener("scroll", () => positions.set(keyNow(), scrollY), { passive: true });
  addEventListener("popstate", () => {
    const at = positions.get(keyNow()) ?? 0;
    afterRender(() => scrollTo(0, at));
  });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey ||
      link.target ||
      link.hasAttribute("download")
    )
      return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(ROOT)) return;
    // The browser itself scrolls to a part of the same page.
    if (url.hash && url.pathname === location.pathname) return;
    event.preventDefault();
    go(url.href);
  });
}

function keyNow(): string {
  return (history.state as { key?: string } | null)?.key ?? "";
}

/** A new view starts at its top, and screen readers at its heading. */
function startOfView(): void {
  const part = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (part) part.scrollIntoView();
  else scrollTo(0, 0);
  document.querySelector("h1")?.focus({ preventScroll: true });
}

function afterRender(run: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(run));
}

/** Builds the address of a view. Leaves empty values out of the query. */
export function addressOf(path: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const text = new URLSearchParams(entries).toString();
  return `${ROOT}${path || "/"}${text && `?${text}`}`;
}

/** Builds the address of a record. */
export function recordAddress(eventId: string): string {
  return addressOf(`/events/${encodeURIComponent(eventId)}`);
}
