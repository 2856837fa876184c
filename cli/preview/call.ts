/** The call that `preview` describes, from the command line. */
import { readFile } from "node:fs/promises";
import { WrongUse } from "../run/failure.ts";

interface CallOptions {
  readonly path?: string | undefined;
  readonly query?: string | undefined;
  readonly header?: readonly string[] | undefined;
  readonly body?: string | undefined;
  readonly user?: string | undefined;
  readonly status?: number | undefined;
  readonly response?: string | undefined;
  readonly responseType?: string | undefined;
}

/** A described call, in the form that the policy's preview accepts. */
export interface PreviewCall {
  readonly method: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly user?: unknown;
  readonly status: number;
  readonly response?: string;
  readonly responseType?: string;
}

/** Reads the options and the files that they name. Throws `WrongUse` naming the option. */
export async function readCall(method: string, options: CallOptions): Promise<PreviewCall> {
  const { path, query, status = 200 } = options;
  if (path !== undefined && !/^\/[^\s?#]*$/.test(path)) {
    throw new WrongUse('"--path" must begin with "/" and have no query; put that into "--query"');
  }
  if (query !== undefined && /[\s#]/.test(query)) throw new WrongUse('"--query" must be encoded, as in a URL');
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new WrongUse('"--status" must be a whole number from 100 to 599');
  }
  const body = await textOf("--body", options.body);
  const response = await textOf("--response", options.response);
  return {
    method,
    ...(path === undefined ? {} : { path }),
    ...(query === undefined ? {} : { query: query.replace(/^\?/, "") }),
    headers: (options.header ?? []).map(headerOf),
    ...(body === undefined ? {} : { body }),
    ...(options.user === undefined ? {} : { user: await userOf(options.user) }),
    status,
    ...(response === undefined ? {} : { response }),
    ...(options.responseType === undefined ? {} : { responseType: typeOf(options.responseType) }),
  };
}

function typeOf(text: string): string {
  if (/^[\w.+-]+\/[\w.+-]+\s*(;[\t\x20-\x7e]*)?$/.test(text)) return text;
  throw new WrongUse('"--response-type" must be a media type such as text/event-stream');
}

function headerOf(text: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new WrongUse('"--header" must be name:value');
  return [name, value];
}

async function userOf(option: string): Promise<unknown> {
  const user = parse((await textOf("--user", option)) ?? "");
  if (typeof user === "object" && user !== null && !Array.isArray(user)) return user;
  throw new WrongUse('"--user" must be a JSON object such as {"sub":"usr_1","data":{}}');
}

/** Returns the text of an option, or of the file that it names with `@`. */
async function textOf(option: string, given: string | undefined): Promise<string | undefined> {
  if (!given?.startsWith("@")) return given;
  return readFile(given.slice(1), "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WrongUse(`the file of "${option}" cannot be read (${cause.code ?? "unknown"})`, { cause });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
