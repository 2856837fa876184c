/** Refuses every request, as a rate limit does when the quota is used up. */
export async function quota() {
  return Response.json({ title: "Too many requests" }, { status: 429, headers: { "retry-after": "60" } });
}
