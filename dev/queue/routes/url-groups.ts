import * as z from "zod";
import { checkUrlGroupName } from "../intake.ts";
import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { checkUrl } from "../options.ts";
import {
  addEndpoints,
  deleteUrlGroup,
  findUrlGroup,
  listUrlGroups,
  removeEndpoints,
  type UrlGroup,
} from "../store/url-groups.ts";
import { parseJson } from "./body.ts";

const ADDED = z.object({
  endpoints: z.array(z.object({ name: z.string().min(1).optional(), url: z.string() })).min(1),
});
const REMOVED = z.object({
  endpoints: z
    .array(z.object({ name: z.string().optional(), url: z.string().optional() }))
    .refine((endpoints) => endpoints.every(({ name, url }) => name !== undefined || url !== undefined)),
});

/** URL groups, which the API still calls topics. */
export function urlGroupRoutes(app: App): Route[] {
  const group = /^\/v2\/topics\/([^/]+)$/;
  const endpoints = /^\/v2\/topics\/([^/]+)\/endpoints$/;
  return [
    {
      method: "GET",
      path: /^\/v2\/topics$/,
      group: "listing",
      run: () => ({ status: 200, json: listUrlGroups(app.database) }),
    },
    {
      method: "GET",
      path: group,
      group: "listing",
      run: (_, name = "") => ({ status: 200, json: find(app, name) }),
    },
    { method: "DELETE", path: group, run: (_, name = "") => remove(app, name) },
    { method: "POST", path: endpoints, run: (request, name = "") => add(app, request, name) },
    { method: "DELETE", path: endpoints, run: (request, name = "") => removeSome(app, request, name) },
  ];
}

async function add(app: App, request: Request, name: string): Promise<Reply> {
  checkUrlGroupName(name);
  const parsed = ADDED.safeParse(parseJson(request.body));
  if (!parsed.success) throw new ApiError(400, "invalid endpoints: needs a list of endpoints, each with a url");
  for (const { url } of parsed.data.endpoints) checkUrl(url, "invalid endpoint url");
  await app.database.write(() => addEndpoints(app.database, name, parsed.data.endpoints, app.clock.now()));
  return { status: 200 };
}

async function removeSome(app: App, request: Request, name: string): Promise<Reply> {
  find(app, name);
  const parsed = REMOVED.safeParse(parseJson(request.body));
  if (!parsed.success)
    throw new ApiError(400, "invalid endpoints: needs a list of endpoints, each with a name or a url");
  await app.database.write(() => removeEndpoints(app.database, name, parsed.data.endpoints, app.clock.now()));
  return { status: 200 };
}

async function remove(app: App, name: string): Promise<Reply> {
  find(app, name);
  await app.database.write(() => deleteUrlGroup(app.database, name));
  return { status: 200 };
}

function find(app: App, name: string): UrlGroup {
  const group = findUrlGroup(app.database, name);
  if (group === undefined) throw new ApiError(404, `url group ${name} not found`);
  return group;
}
