/** A record as a list of its fields; nested ones are indented. */
import { OutsideText } from "../parts/outside-text.tsx";
import { Time } from "../parts/time.tsx";

const HIDDEN = "[hidden]";

export function RecordFields({ value }: { readonly value: object }) {
  return (
    <dl class="record">
      {Object.entries(value).map(([name, field]: [string, unknown]) => (
        <div key={name}>
          <dt>
            <OutsideText text={name} />
          </dt>
          <dd>
            <Value name={name} value={field} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (Array.isArray(value)) return <List items={value} />;
  if (typeof value === "object" && value !== null) return <RecordFields value={value} />;
  if (value === HIDDEN) return <span class="quiet">hidden</span>;
  if (typeof value === "number" && name.endsWith("AtMs")) return <Time at={new Date(value).toISOString()} />;
  return <OutsideText text={typeof value === "string" ? value : JSON.stringify(value)} />;
}

function List({ items }: { readonly items: readonly unknown[] }) {
  return (
    <ul class="plain stack">
      {items.map((item, index) => (
        <li key={index}>
          <Value name="" value={item} />
        </li>
      ))}
    </ul>
  );
}
