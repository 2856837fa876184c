import type { App } from "../app.ts";
import type { Reply, Route } from "../http.ts";

/** The signing keys, and their rotation. */
export function keyRoutes(app: App): Route[] {
  const shape = (): Reply => ({ status: 200, json: { current: app.keys.current(), next: app.keys.next() } });
  return [
    { method: "GET", path: /^\/v2\/keys$/, run: shape },
    {
      method: "POST",
      path: /^\/v2\/keys\/rotate$/,
      run: async () => {
        await app.database.write(() => app.keys.rotate());
        return shape();
      },
    },
  ];
}
