/** The policies that are compared, each on a route of its own in the example project, behind the same sign-in and handler. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { EXAMPLE_PROJECT } from "../../dev/gateway/gateway.ts";
import type { GatewayExtension } from "../../dev/stack.ts";
import type { WorkosStandIn } from "../../dev/workos/server.ts";

export const SUBJECTS = ["ours", "sdk", "documented"] as const;
export type Subject = (typeof SUBJECTS)[number];

export const SUBJECT_TITLES: Readonly<Record<Subject, string>> = {
  ours: "ours",
  sdk: "`publishJSON`, `Receiver`, `createEvent`",
  documented: "documented WorkOS policy",
};

/** The example's route with our policy; the peers have a copy of it. */
const EXAMPLE_PATH = "/v1/teams/{teamId}/members";

/** The path of the request to a subject's route. */
export function pathOf(subject: Subject): string {
  return routeOf(subject).replace("{teamId}", "team_1");
}

function routeOf(subject: Subject): string {
  return subject === "ours" ? EXAMPLE_PATH : EXAMPLE_PATH.replace("/v1", `/v1/${subject}`);
}

const POLICIES: Readonly<Record<Exclude<Subject, "ours">, readonly [module: string, exported: string]>> = {
  sdk: ["sdk-policy", "sdkPolicy"],
  documented: ["documented-policy", "documentedPolicy"],
};

/** What the peers need in the gateway; `sdkWorkerUrl` is where the SDKs' handler listens. */
export async function peerExtension(
  workos: Pick<WorkosStandIn, "url" | "apiKey">,
  sdkWorkerUrl: string,
): Promise<GatewayExtension> {
  const { policies } = JSON.parse(await exampleText("config/policies.json")) as { policies: readonly object[] };
  const routes = JSON.parse(await exampleText("config/routes.oas.json")) as Routes;
  return {
    files: {
      "config/policies.json": JSON.stringify({ policies: [...policies, ...peerPolicies()] }),
      "config/routes.oas.json": JSON.stringify(withPeers(routes)),
      "modules/documented-policy.ts": await readFile(new URL("../peers/documented-policy.ts", import.meta.url), "utf8"),
      "modules/sdk-policy.ts": await sdkPolicyText(),
    },
    env: { WORKOS_BASE_URL: workos.url, WORKOS_API_KEY: workos.apiKey, SDK_WORKER_URL: sdkWorkerUrl },
  };
}

function exampleText(path: string): Promise<string> {
  return readFile(EXAMPLE_PROJECT + path, "utf8");
}

interface Route {
  readonly operationId: string;
  readonly "x-zuplo-route": { readonly policies: { readonly inbound: readonly string[] } };
}

interface Routes {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Route>>>>;
}

function withPeers(routes: Routes): Routes {
  const example = routes.paths[EXAMPLE_PATH]?.["post"];
  if (!example) throw new RangeError(`the example project has no POST ${EXAMPLE_PATH}`);
  const zuplo = example["x-zuplo-route"];
  const peers = Object.entries(POLICIES).map(([subject, [name]]) => {
    const policies = { ...zuplo.policies, inbound: ["sign-in", name] };
    const route = { operationId: `${subject}InviteMember`, "x-zuplo-route": { ...zuplo, policies } };
    return [routeOf(subject as Subject), { post: route }] as const;
  });
  return { ...routes, paths: { ...routes.paths, ...Object.fromEntries(peers) } };
}

function peerPolicies(): readonly object[] {
  return Object.values(POLICIES).map(([module, exported]) => ({
    name: module,
    policyType: "custom-code-inbound",
    handler: { module: `$import(./modules/${module})`, export: exported, options: {} },
  }));
}

/** One module with the SDK in it: the project of the gateway has no packages of its own. */
async function sdkPolicyText(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../peers/sdk-policy.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["@zuplo/runtime"],
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}
