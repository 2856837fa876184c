/** The application: checks who is signed in, and shows the sign-in or the view of the address. */
import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary, useMemo, useState } from "preact/hooks";
import type { MeAnswer } from "../shared/api.ts";
import { type ApiFailure, failureOf, watchUnauthorized } from "./api/client.ts";
import { usePlace } from "./location.ts";
import { Failure, Skeleton } from "./parts/notice.tsx";
import { View } from "./parts/view.tsx";
import { forget, SessionContext, signIn } from "./session.tsx";
import { Shell } from "./shell.tsx";
import { viewOf } from "./views/index.tsx";
import { SignIn } from "./views/sign-in.tsx";

type State = { readonly me: MeAnswer } | { readonly said?: string } | { readonly failure: ApiFailure } | undefined;

export function App() {
  const [state, setState] = useState<State>();
  const start = async () => setState(await known());
  useEffect(() => {
    watchUnauthorized(() =>
      setState((before) => {
        forget();
        return before && "me" in before
          ? { said: "Your session has ended. Sign in again to continue where you were." }
          : before;
      }),
    );
    void start();
  }, []);
  if (!state) return <Starting />;
  if ("failure" in state) return <NoAnswer failure={state.failure} onRetry={() => void start()} />;
  if (!("me" in state)) return <SignIn said={state.said} onDone={(me) => setState({ me })} />;
  return <SignedIn me={state.me} onSignOut={() => setState({})} />;
}

/** The operator identified by the stored token or by Cloudflare Access. */
async function known(): Promise<State> {
  try {
    return { me: await signIn() };
  } catch (error) {
    const failure = failureOf(error);
    return failure.status === 401 ? {} : { failure };
  }
}

function SignedIn({ me, onSignOut }: { readonly me: MeAnswer; readonly onSignOut: () => void }) {
  const place = usePlace();
  const session = useMemo(() => ({ me, signOut: () => (forget(), onSignOut()) }), [me, onSignOut]);
  return (
    <SessionContext value={session}>
      <Shell place={place}>
        <Guarded key={place.path}>{viewOf(place)}</Guarded>
      </Shell>
    </SessionContext>
  );
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
