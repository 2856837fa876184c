/** Who is signed in. The token stays in this tab's session storage; with Cloudflare Access there is none. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { MeAnswer } from "../shared/api.ts";
import { type Role, roleAllows } from "../shared/access-tokens.ts";
import { api, ApiFailure, keepToken } from "./api/client.ts";
import { forgetHistory } from "./api/history.ts";
import { forgetPages } from "./api/pages.ts";
import { forgetAnswers } from "./api/resource.ts";

interface Session {
  readonly me: MeAnswer;
  readonly signOut: () => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

/** Returns the session of the signed-in operator; every view has one. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new TypeError("useSession is called outside of a session");
  return session;
}

/** True if the person's role includes `role`. */
export function useMay(role: Role): boolean {
  return roleAllows(useSession().me.role, role);
}

/** Signs in with a token, or as the person that the API already knows. Throws `ApiFailure`. */
export async function signIn(token?: string): Promise<MeAnswer> {
  if (token !== undefined) keepToken(token);
  return api.get<MeAnswer>("/api/me").catch((error: unknown) => {
    if (error instanceof ApiFailure && error.status === 401) forget();
    throw error;
  });
}

/**
 * Ends the session at Cloudflare Access, which serves this path on the worker's host.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/access-settings/session-management/#log-out-as-a-user
 */
export function leaveAccess(): void {
  location.assign("/cdn-cgi/access/logout");
}

/** Clears the token and all loaded data. */
export function forget(): void {
  keepToken("");
  forgetAnswers();
  forgetPages();
  forgetHistory();
}
