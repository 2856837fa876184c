/** The frame of every view: the header with environment, delivery, incidents and search, and the navigation. */
import { type ComponentChildren, createContext } from "preact";
import { useContext, useState } from "preact/hooks";
import type { Health } from "./api/answers.ts";
import { type Resource, useResource } from "./api/resource.ts";
import { addressOf, go, type Place } from "./location.ts";
import { OutsideText } from "./parts/outside-text.tsx";
import { useSession } from "./session.tsx";
import { deliveryWords } from "./words/delivery.ts";

/** Together less than 15 s, so that the header is never older. */
const HEALTH_EVERY_MS = 8_000;
const HEALTH_TIMEOUT_MS = 6_000;

const HealthContext = createContext<Resource<Health> | undefined>(undefined);

/** Returns the newest health, which the header refreshes for every view. */
export function useHealth(): Resource<Health> {
  const health = useContext(HealthContext);
  if (!health) throw new TypeError("useHealth is called outside of the shell");
  return health;
}

const LINKS = [
  { name: "Overview", path: "" },
  { name: "Dead letters", path: "/dead-letters" },
  { name: "Replays", path: "/replays" },
  { name: "Evidence", path: "/evidence" },
] as const;

export function Shell({ place, children }: { readonly place: Place; readonly children: ComponentChildren }) {
  const health = useResource<Health>("/health", HEALTH_EVERY_MS, HEALTH_TIMEOUT_MS);
  return (
    <HealthContext value={health}>
      <div class="shell">
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <Header />
        <nav aria-label="Views">
          {LINKS.map(({ name, path }) => (
            <a key={name} href={addressOf(path)} aria-current={isCurrent(place.path, path) ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        {children}
      </div>
    </HealthContext>
  );
}

function isCurrent(place: string, path: string): boolean {
  return path === "" ? place === "" : place === path || place.startsWith(`${path}/`);
}

function Header() {
  const { me, signOut } = useSession();
  const { data: health, failure } = useHealth();
  const { tone, short } = deliveryWords(health, failure);
  const open = health?.incidents.length ?? 0;
  return (
    <header>
      <a class="brand" href={addressOf("")} aria-label="Audit forwarder">
        <img src="/console/icon.svg" alt="" width="28" height="28" />
        <span>Audit forwarder</span>
      </a>
      {me.environment !== undefined && (
        <span class={`environment ${isProduction(me.environment) ? "production" : ""}`} title="Environment">
          <OutsideText text={me.environment} />
        </span>
      )}
      <span class={`state ${tone}`} role="status">
        <span class="dot" aria-hidden="true" />
        {short}
      </span>
      {open > 0 && (
        <a class="count" href={`${addressOf("")}#incidents`}>
          {open === 1 ? "1 open incident" : `${open} open incidents`}
        </a>
      )}
      <Search />
      <span class="person">
        <span class="quiet">
          <OutsideText text={me.name} /> ({me.role})
        </span>
        <button type="button" class="link" onClick={signOut}>
          Sign out
        </button>
      </span>
    </header>
  );
}

function isProduction(environment: string): boolean {
  return /^prod(uction)?\b/i.test(environment);
}

function Search() {
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (wanted === "") return;
    setText("");
    go(addressOf("/search", { q: wanted }));
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input
        type="search"
        aria-label="Event or request id"
        placeholder="Event or request id"
        autoComplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}
