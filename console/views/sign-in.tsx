/** The sign-in: a token of any role, or the way back to Cloudflare Access. */
import { useEffect, useState } from "preact/hooks";
import type { MeAnswer } from "../../shared/api.ts";
import { ApiFailure, failureOf } from "../api/client.ts";
import { Failure } from "../parts/notice.tsx";
import { signIn } from "../session.tsx";

interface SignInProps {
  /** True if the person was signed in until now. */
  readonly hasEnded: boolean;
  readonly onDone: (me: MeAnswer) => void;
}

export function SignIn({ hasEnded, onDone }: SignInProps) {
  const [token, setToken] = useState("");
  const [failure, setFailure] = useState<ApiFailure>();
  const [isBusy, setBusy] = useState(false);
  useSignInTitle();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    const given = token.trim();
    const answer = await (given === "" ? Promise.reject(EMPTY) : signIn(given)).catch(failureOf);
    setBusy(false);
    if (answer instanceof ApiFailure) setFailure(answer);
    else onDone(answer);
  };
  return (
    <main class="alone">
      <h1>Audit forwarder</h1>
      {hasEnded && <Ended />}
      <form class="card stack" onSubmit={(event) => void submit(event)}>
        <label for="token">Access token</label>
        {/* A text field, so that no browser offers to store the token; the style sheet hides what is typed. */}
        <input
          id="token"
          class="secret"
          type="text"
          autoComplete="off"
          autoCapitalize="none"
          spellcheck={false}
          value={token}
          aria-invalid={failure !== undefined}
          aria-describedby="token-help"
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="token-help" class="quiet">
          The token is kept in this tab only and is gone when you close it. If you have none, ask an administrator to
          run <code>audit-forwarder tokens create</code>.
        </p>
        <Failure failure={failure} what="You are not signed in" />
        <button class="primary" type="submit" aria-disabled={isBusy}>
          Sign in
        </button>
      </form>
    </main>
  );
}

/** Loading the page again leads to the sign-in of Access and back to this address. */
export function AccessSignIn() {
  useSignInTitle();
  return (
    <main class="alone">
      <h1>Audit forwarder</h1>
      <Ended />
      <button class="primary" type="button" onClick={() => location.reload()}>
        Sign in again
      </button>
    </main>
  );
}

function Ended() {
  return <p class="notice warn">Your session has ended. Sign in again to continue where you were.</p>;
}

function useSignInTitle(): void {
  useEffect(() => {
    document.title = "Sign in · Audit forwarder";
  }, []);
}

const EMPTY = new ApiFailure(401, "unauthorized", "Enter your access token.");
