/** `preview <zuplo-project> <operation>`: shows the events that a described call would leave, without a gateway. */
import { resolve } from "node:path";
import { placeEntry } from "../init/entry.ts";
import { readPolicies } from "../init/policies.ts";
import { readProject } from "../init/project.ts";
import { readRoutes } from "../init/routes.ts";
import { type PreviewedEvent, previewCall } from "../policy/preview.ts";
import { readCall } from "../preview/call.ts";
import type { SchemasOf } from "../preview/judge.ts";
import { readNearestLock } from "../preview/lock-file.ts";
import { findRoute, parseOperation } from "../preview/operation.ts";
import { registeredSchemas } from "../preview/registered.ts";
import { command } from "../run/command.ts";
import type { Io } from "../run/io.ts";
import { visible } from "../run/text.ts";
import type { Lock } from "../schemas/lock.ts";
import { openWorkos } from "../workos/client.ts";

export const preview = command({
  usage: "preview <zuplo-project> <operation>",
  about: "Show the events that a call would leave, made by the policy's own code",
  examples: [
    ["preview ./my-api 'DELETE /members/{id}' --path /members/mem_7", "one call, answered with 200"],
    ["preview ./my-api 'POST /members' --body @call.json --user '{\"sub\":\"usr_1\"}' --status 403", "refused"],
  ],
  options: (yargs) =>
    yargs
      .positional("zuplo-project", { type: "string", demandOption: true, describe: "The project's directory" })
      .positional("operation", { type: "string", demandOption: true, describe: 'Such as "POST /members/{id}"' })
      .option("path", { type: "string", requiresArg: true, describe: "The path of the call; default the pattern" })
      .option("query", { type: "string", requiresArg: true, describe: "The query of the call, without ?" })
      .option("header", { type: "string", array: true, nargs: 1, describe: "name:value; may be given several times" })
      .option("body", { type: "string", requiresArg: true, describe: "JSON, or @file" })
      .option("user", { type: "string", requiresArg: true, describe: "request.user as JSON, or @file" })
      .option("status", { type: "number", requiresArg: true, describe: "Status of the response; default 200" })
      .option("response", { type: "string", requiresArg: true, describe: "Body of the response: JSON, or @file" })
      .option("response-type", {
        type: "string",
        requiresArg: true,
        describe: "Content type of the response, such as text/event-stream; default application/json",
      }),
  run: async (args, io) => {
    const operation = parseOperation(args.operation);
    const call = await readCall(operation.method, args);
    const project = await readProject(resolve(args.zuploProject));
    const policies = readPolicies(project);
    const routes = project.openApi.flatMap((file) => readRoutes(file, policies));
    const route = findRoute(routes, operation);
    if (route.place === "absent") return report(io, [], [], "the route is not audited", []);
    const lock = await readNearestLock(project.directory);
    const { options = {} } = placeEntry(project.policies, project.module);
    const made = await previewCall(route, call, route.auditedBy?.options ?? options, project.env, lock);
    const faults = await allFaults(made.events, lock, io);
    return report(io, made.events, made.missing, made.skipped, faults);
  },
});

async function allFaults(
  events: readonly PreviewedEvent[],
  lock: Lock,
  io: Io,
): Promise<readonly (readonly string[])[]> {
  const knowsRegistry = Boolean(io.env["WORKOS_API_KEY"]) && Object.keys(lock).length > 0;
  const schemasOf: SchemasOf | undefined = knowsRegistry ? registeredSchemas(openWorkos(io)) : undefined;
  // Imported on demand: the validator and the YAML parser take a tenth of every command's start-up time.
  const { faultsOf } = await import("../preview/judge.ts");
  return Promise.all(events.map((event) => faultsOf(event, schemasOf)));
}

function report(
  io: Io,
  events: readonly PreviewedEvent[],
  missing: readonly string[],
  skipped: string | undefined,
  faults: readonly (readonly string[])[],
) {
  const problems = faults.flatMap((found, index) => found.map((fault) => ({ event: index, message: fault })));
  return {
    json: {
      events,
      missing,
      ...(skipped === undefined ? {} : { skipped }),
      ...(problems.length > 0 ? { problems } : {}),
    },
    lines: [
      ...events.flatMap((event, index) => [
        ...JSON.stringify(event, null, 2).split("\n").map(visible),
        ...(faults[index] ?? []).map((fault) => `${io.paint("red", "refused")} ${visible(fault)}`),
      ]),
      ...(missing.length > 0 ? [`missing: ${visible(missing.join(", "))}`] : []),
      ...(skipped === undefined ? [] : [`no event: ${visible(skipped)}`]),
    ],
    ok: problems.length === 0,
  };
}
