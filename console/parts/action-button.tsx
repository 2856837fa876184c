/** A button for work that takes a while: pressing it again does not start the work twice. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { type ApiFailure, failureOf } from "../api/client.ts";

interface ActionButtonProps {
  readonly onPress: () => Promise<void>;
  /** Called with nothing when the work starts, and with the failure if it fails. */
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
  // A component's state is one render late, and a second press may come sooner.
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
