/** The frame of a view: its heading is also the title of the page. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface ViewProps {
  readonly title: string;
  /** Shown beside the heading. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function View({ title, actions, children }: ViewProps) {
  useEffect(() => {
    document.title = `${title} · Audit forwarder`;
  }, [title]);
  return (
    <main id="main">
      <div class="heading">
        <h1 tabIndex={-1}>{title}</h1>
        {actions}
      </div>
      {children}
    </main>
  );
}
