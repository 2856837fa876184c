/** Cloudflare Access in front of the worker: it vouches for a person with a signed assertion, and its team publishes the key. */
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { fetch, type Request, Response } from "miniflare";

const TEAM = "team.cloudflareaccess.com";
const AUDIENCE = "aud-of-the-console";
const LOGIN = "/cdn-cgi/access/login";

export const ACCESS_VARIABLES = { AUDIT_ACCESS_TEAM_DOMAIN: TEAM, AUDIT_ACCESS_AUDIENCE: AUDIENCE };

/** The team's key: `outbound` publishes it to the worker. */
export async function createTeam() {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" }];
  return {
    outbound: async (request: Request): Promise<Response> =>
      request.url === `https://${TEAM}/cdn-cgi/access/certs` ? Response.json({ keys }) : fetch(request),

    assertion: (email: string, { audience = AUDIENCE, expires = "1h" } = {}): Promise<string> =>
      new SignJWT({ email })
        .setProtectedHeader({ alg: "RS256", kid: "k1" })
        .setIssuer(`https://${TEAM}`)
        .setAudience(audience)
        .setSubject(`sub-of-${email}`)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(privateKey),
  };
}

export interface Gate {
  readonly url: string;
  /** The status of each request without a session. */
  readonly refusals: number[];
  /** From now on Access vouches with this assertion; without one, the person has to sign in. */
  vouch(assertion: string | undefined): void;
  /** What Access answers to scripts without a session: 401 to those that ask for it, or a redirect to all. */
  redirectScripts(isOn: boolean): void;
  stop(): Promise<void>;
}

/** Access on loopback. Its sign-in has the host name `localhost`, so that it is another origin, as the team's domain is. */
export async function startGate(workerUrl: string): Promise<Gate> {
  let assertion: string | undefined;
  let redirectsScripts = false;
  const refusals: number[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", gate.url);
    if (pathname === LOGIN) return show(response, signInPage(searchParams.get("back") ?? ""));
    if (pathname === "/cdn-cgi/access/logout") {
      assertion = undefined;
      return show(response, "<h1>You are signed out of Access</h1>");
    }
    if (assertion !== undefined) return forward(request, response, workerUrl, assertion);
    const asksFor401 = request.headers["x-requested-with"] === "XMLHttpRequest";
    const status = asksFor401 && !redirectsScripts ? 401 : 302;
    refusals.push(status);
    if (status === 401) return void response.writeHead(status).end();
    const back = encodeURIComponent(`${gate.url}${request.url}`);
    response
      .writeHead(status, { location: `${gate.url.replace("127.0.0.1", "localhost")}${LOGIN}?back=${back}` })
      .end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const gate: Gate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusals,
    vouch: (next) => void (assertion = next),
    redirectScripts: (isOn) => void (redirectsScripts = isOn),
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return gate;
}

function forward(request: IncomingMessage, response: ServerResponse, workerUrl: string, assertion: string): void {
  const { method, url = "/" } = request;
  const headers = { ...request.headers, "cf-access-jwt-assertion": assertion };
  const onward = httpRequest(`${workerUrl}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

function signInPage(back: string): string {
  const link = back.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<h1>Sign in to Access</h1><a href="${link}">Continue</a>`;
}

function show(response: ServerResponse, html: string): void {
  response.writeHead(200, { "content-type": "text/html" }).end(html);
}
