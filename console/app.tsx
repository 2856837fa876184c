/** The application: checks who is signed in, and shows the sign-in or the view of the address. */
import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary, useMemo, useState } from "preact/hooks";
import type { MeAnswer } from "../shared/api.ts";
import { type ApiFailure, failureOf, hasToken, watchUnauthorized } from "./api/client.ts";
import { usePlace } from "./location.ts";
import { Failure, Skeleton } from "./parts/notice.tsx";
import { View } from "./parts/view.tsx";
import { forget, leaveAccess, SessionContext, signIn } from "./session.tsx";
import { Shell } from "./shell.tsx";
import { viewOf } from "./views/index.tsx";
import { AccessSignIn, SignIn } from "./views/sign-in.tsx";

type State =
  | { readonly me: MeAnswer }
  | { readonly hasEnded: boolean }
  | { readonly failure: ApiFailure }
  | typeof ACCESS_ENDED
  | undefined;

/** Only Cloudflare Access can sign the person in again. */
const ACCESS_ENDED = "access-ended";

export function App() {
  const [state, setState] = useState<State>();
  const start = async () => setState(await known());
  useEffect(() => {
    watchUnauthorized((failure) =>
      setState((before) => {
        const after = afterRefusal(before, failure);
        forget();
        return after;
      }),
    );
    void start();
  }, []);
  if (!state) return <Starting />;
  if (state === ACCESS_ENDED) return <AccessSignIn />;
  if ("failure" in state) return <NoAnswer failure={state.failure} onRetry={() => void start()} />;
  if (!("me" in state)) return <SignIn hasEnded={state.hasEnded} onDone={(me) => setState({ me })} />;
  return <SignedIn me={state.me} onSignOut={() => setState({ hasEnded: false })} />;
}

/** A person who came without a token has come through Access. */
function afterRefusal(before: State, { code }: ApiFailure): State {
  if (code === "access_ended") return ACCESS_ENDED;
  if (typeof before !== "object" || !("me" in before)) return before;
  return hasToken() ? { hasEnded: true } : ACCESS_ENDED;
}

/** The operator identified by the stored token or by Cloudflare Access. */
async function known(): Promise<State> {
  try {
    return { me: await signIn() };
  } catch (error) {
    const failure = failureOf(error);
    if (failure.code === "access_ended") return ACCESS_ENDED;
    return failure.status === 401 ? { hasEnded: false } : { failure };
  }
}

function SignedIn({ me, onSignOut }: { readonly me: MeAnswer; readonly onSignOut: () => void }) {
  const place = usePlace();
  const session = useMemo(() => ({ me, signOut: () => signOut(onSignOut) }), [me, onSignOut]);
  return (
    <SessionContext value={session}>
      <Shell place={place}>
        <Guarded key={place.path}>{viewOf(place)}</Guarded>
      </Shell>
    </SessionContext>
  );
}

function signOut(onSignOut: () => void): void {
  const isThroughAccess = !hasToken();
  forget();
  if (isThroughAccess) leaveAccess();
  else onSignOut();
}

/** A view that fails shows an error, and keeps the header and the navigation. */
function Guarded({ children }: { readonly children: ComponentChildren }) {
  const [broken, again] = useErrorBoundary((error: unknown) => console.error(error));
  if (broken === undefined) return <>{children}</>;
  return (
    <View title="This view has failed">
      <Failure failure={failureOf(broken)} what="This view has failed" onRetry={again} />
    </View>
  );
}

function Starting() {
  return (
    <main class="alone">
      <Skeleton lines={4} />
    </main>
  );
}

function NoAnswer({ failure, onRetry }: { readonly failure: ApiFailure; readonly onRetry: () => void }) {
  return (
    <main class="alone">
      <h1>Audit forwarder</h1>
      <Failure failure={failure} what="The console could not start" onRetry={onRetry} />
    </main>
  );
}
