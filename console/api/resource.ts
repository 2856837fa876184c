/** API answers in components: a known answer is shown at once and refreshed in the background. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, type ApiFailure, failureOf } from "./client.ts";

export interface Resource<T> {
  /** The newest answer, even during a refresh. */
  readonly data: T | undefined;
  /** Why the last call failed; `data` may still hold an earlier answer. */
  readonly failure: ApiFailure | undefined;
  readonly reload: () => Promise<void>;
}

/** Answers by path, so that Back shows the earlier view at once. */
const known = new Map<string, unknown>();

/** Clears every answer, because another person may sign in. */
export function forgetAnswers(): void {
  known.clear();
}

/**
 * Gets a path, then again every `everyMs` while the page is visible, and when it becomes visible. An undefined path gets nothing. A
 * call that takes longer than `timeoutMs` fails; default 30 s.
 */
export function useResource<T>(path: string | undefined, everyMs?: number, timeoutMs?: number): Resource<T> {
  const [state, setState] = useState<{ path?: string; failure?: ApiFailure }>({});
  const wanted = useRef(path);
  wanted.current = path;
  const reload = useCallback(async () => {
    if (path === undefined) return;
    const failure = await api.get<T>(path, timeoutMs).then(
      (answer) => void known.set(path, answer),
      (error: unknown) => failureOf(error),
    );
    if (wanted.current === path) setState({ path, ...(failure ? { failure } : {}) });
  }, [path, timeoutMs]);
  useEffect(() => {
    void reload();
    return everyMs === undefined ? undefined : repeatWhileVisible(reload, everyMs);
  }, [reload, everyMs]);
  const failure = state.path === path ? state.failure : undefined;
  return { data: path === undefined ? undefined : (known.get(path) as T | undefined), failure, reload };
}

function repeatWhileVisible(run: () => Promise<void>, everyMs: number): () => void {
  const runIfVisible = () => {
    if (!document.hidden) void run();
  };
  const timer = setInterval(runIfVisible, everyMs);
  document.addEventListener("visibilitychange", runIfVisible);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", runIfVisible);
  };
}
