/** A button for work that takes a while: one press starts it once. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { type ApiFailure, failureOf } from "../api/client.ts";

interface ActionButtonProps {
  readonly onPress: () => Promise<void>;
  /** Told when the work starts, with nothing, and when it failed. */
  readonly onFailure: (failure: ApiFailure | undefined) => void;
  readonly kind?: "primary" | "danger" | "secondary";
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
}

export function ActionButton({
  onPress,
  onFailure,
  kind = "secondary",
  disabled = false,
  children,
}: ActionButtonProps) {
  const [isBusy, setBusy] = useState(false);
  // The state of a component is a render late; a second press may come sooner.
  const isRunning = useRef(false);
  const press = async () => {
    if (isRunning.current) return;
    isRunning.current = true;
    setBusy(true);
    onFailure(undefined);
    try {
      await onPress();
    } catch (error) {
      onFailure(failureOf(error));
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={kind}
      aria-disabled={isBusy || disabled}
      disabled={disabled}
      onClick={() => void press()}
    >
      {children}
    </button>
  );
}
