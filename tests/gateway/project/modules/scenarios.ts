import { environment, HttpProblems, ZuploRequest, type ZuploContext } from "@zuplo/runtime";

/** Handlers and policies of the test routes; each makes one situation of facts about the gateway's pipeline. */

export async function echo(request: ZuploRequest) {
  return { method: request.method, body: await request.text(), user: request.user?.sub ?? null };
}

export async function json(request: ZuploRequest) {
  return new Response(JSON.stringify({ invoice: { id: "inv_9", total: 12.5 }, echoed: await request.text() }), {
    status: 201,
    headers: { "content-type": "application/json", location: "/invoices/inv_9" },
  });
}

export async function throws() {
  throw new Error("handler failed");
}

export async function noContent() {
  return new Response(null, { status: 204 });
}

export async function redirect() {
  return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
}

export async function stream() {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    for (const part of ["one ", "two ", "three"]) {
      await writer.write(new TextEncoder().encode(part));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await writer.close();
  };
  void write();
  return new Response(readable, { headers: { "content-type": "text/plain" } });
}

/** Ends when the origin answers, which a test can keep back. */
export async function held(request: ZuploRequest) {
  const answer = await fetch(`${environment.SINK_URL}/origin/held?id=${request.query["id"]}`);
  return { origin: answer.status };
}

export async function parent(request: ZuploRequest, context: ZuploContext) {
  const child = await context.invokeRoute(request.query["child"] ?? "/ours/child", { headers: request.headers });
  return { child: child.status, body: await child.json() };
}

export async function child() {
  return { child: true };
}

export async function large() {
  return new Response(JSON.stringify({ invoice: { id: "inv_large" }, filling: "x".repeat(300_000) }), {
    headers: { "content-type": "application/json" },
  });
}

/** A stand-in for an auth policy: `x-test-user` is the user, as JSON data in `x-test-data`. */
export async function auth(request: ZuploRequest) {
  const user = request.headers.get("x-test-user");
  if (user) request.user = { sub: user, data: JSON.parse(request.headers.get("x-test-data") ?? "{}") };
  return request;
}

export async function mustAuth(request: ZuploRequest, context: ZuploContext) {
  const authenticated = await auth(request);
  return authenticated.user ? authenticated : HttpProblems.unauthorized(request, context);
}

/** Puts another request object in the place of the first, as header-setting policies do. */
export async function replace(request: ZuploRequest) {
  return new ZuploRequest(request, { headers: { ...Object.fromEntries(request.headers), "x-replaced": "yes" } });
}

export async function limited(request: ZuploRequest, context: ZuploContext) {
  return HttpProblems.tooManyRequests(request, context);
}

export async function policyThrows() {
  throw new Error("policy failed");
}

export async function outboundThrows() {
  throw new Error("outbound failed");
}

export async function consume(request: ZuploRequest) {
  const text = await request.text();
  return new ZuploRequest(request, { body: text });
}

export async function finalHookThrows(request: ZuploRequest, context: ZuploContext) {
  context.addResponseSendingFinalHook(() => {
    throw new Error("hook failed");
  });
  return request;
}

export async function sendingHookRewrites(request: ZuploRequest, context: ZuploContext) {
  context.addResponseSendingHook((response) => new Response(response.body, { status: 503, headers: response.headers }));
  return request;
}

export async function sendingHookThrows(request: ZuploRequest, context: ZuploContext) {
  context.addResponseSendingHook(() => {
    throw new Error("sending hook failed");
  });
  return request;
}
