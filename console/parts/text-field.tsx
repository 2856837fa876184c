/** A text field with its label, and perhaps a help below it. */
import { useId } from "preact/hooks";

interface TextFieldProps {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

export function TextField({ label, help, value, onInput }: TextFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        spellcheck={false}
        aria-describedby={help && `${id}-help`}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {help && (
        <span id={`${id}-help`} class="quiet">
          {help}
        </span>
      )}
    </div>
  );
}
