import { ApiError } from "../errors.ts";
import type { Route } from "../http.ts";
import type { Headers } from "../options.ts";

/** QStash features that the development queue lacks, by their paths. */
const PATHS: readonly { path: RegExp; feature: string }[] = [
  { path: /^\/v2\/schedules(\/.*)?$/, feature: "schedules" },
  { path: /^\/v2\/workflows(\/.*)?$/, feature: "workflows" },
  { path: /^\/v2\/bulkActions?(\/.*)?$/i, feature: "the progress of bulk actions" },
  { path: /^\/(llm\/.*|v2\/publish\/api\/.*|v2\/enqueue\/[^/]+\/api\/.*)$/, feature: "LLM and e-mail APIs" },
];
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Headers of a publish that request one of these features; ignoring one would change the message's meaning. */
const HEADERS: readonly { name: RegExp; feature: string }[] = [
  { name: /^upstash-cron$/, feature: "schedules" },
  { name: /^upstash-workflow-/, feature: "workflows" },
];

/** Answers 501 and names the feature. These routes go before the others. */
export function notOfferedRoutes(): Route[] {
  const routes = PATHS.flatMap(({ path, feature }) => METHODS.map((method) => refusal(method, path, feature)));
  return [...routes, refusal("PATCH", /^\/v2\/topics\/[^/]+$/, "default headers of a URL group")];
}

/** Throws an {@link ApiError} 501 if a publish asks for a feature that the development queue lacks. */
export function checkOffered(headers: Headers): void {
  for (const header of Object.keys(headers)) {
    const refused = HEADERS.find(({ name }) => name.test(header));
    if (refused !== undefined) throw notOffered(refused.feature);
  }
}

function refusal(method: string, path: RegExp, feature: string): Route {
  return {
    method,
    path,
    run: () => {
      throw notOffered(feature);
    },
  };
}

function notOffered(feature: string): ApiError {
  return new ApiError(501, `the development queue does not offer ${feature}; use QStash itself`);
}
