/** Counts by name, largest first, as a list. */
import { count } from "../words/metrics.ts";
import { OutsideText } from "./outside-text.tsx";

interface CountsProps {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly name?: (key: string) => string;
}

export function Counts({ title, counts, name = String }: CountsProps) {
  const rows = Object.entries(counts).filter(([, n]) => n > 0);
  if (rows.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <dl class="counts">
        {rows.map(([key, n]) => (
          <div key={key}>
            <dt>
              <OutsideText text={name(key)} />
            </dt>
            <dd>{count(n)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
