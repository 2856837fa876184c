/** What a view shows without content: failures, skeletons while it loads, and empty states. */
import type { ComponentChildren } from "preact";
import type { ApiFailure } from "../api/client.ts";

interface FailureProps {
  readonly failure: ApiFailure | undefined;
  /** What failed, such as "The dead letters could not be loaded". */
  readonly what: string;
  readonly onRetry?: (() => void) | undefined;
  readonly children?: ComponentChildren;
}

/** A failure with its reason and the next step; nothing without one. */
export function Failure({ failure, what, onRetry, children }: FailureProps) {
  if (!failure) return null;
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{what}.</strong> {failure.message}
      </p>
      {(onRetry !== undefined || children !== undefined) && (
        <div class="row">
          {onRetry && (
            <button type="button" onClick={onRetry}>
              Try again
            </button>
          )}
          {children}
        </div>
      )}
    </div>
  );
}

/** Grey bars with the height of the coming content, so that the page does not jump. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** Explains what would be here. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  );
}
