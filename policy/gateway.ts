/** The part of Zuplo's types that the policy needs, so that the core runs without the runtime. */

export interface GatewayUser {
  readonly sub?: unknown;
  readonly data?: unknown;
}

export interface GatewayRequest extends Request {
  readonly user?: GatewayUser | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

export interface GatewayRoute {
  readonly path: string;
  /** The OpenAPI operation, `x-audit` included. */
  raw(): unknown;
}

export interface GatewayLog {
  warn(...messages: unknown[]): void;
  error(...messages: unknown[]): void;
}

export type FinalHook = (response: Response, request: GatewayRequest) => void | Promise<void>;

export interface GatewayContext {
  readonly requestId: string;
  readonly log: GatewayLog;
  readonly route: GatewayRoute;
  readonly custom?: Readonly<Record<string, unknown>>;
  readonly parentContext?: GatewayContext | undefined;
  readonly incomingRequestProperties?: Readonly<Record<string, unknown>> | undefined;
  waitUntil(promise: Promise<unknown>): void;
  addResponseSendingFinalHook(hook: FinalHook): void;
  addEventListener?(type: "responseSent", listener: (event: { readonly response?: Response }) => void): void;
}

/** `environment` of the runtime: a proxy that cannot list its names. */
export type GatewayEnvironment = Readonly<Record<string, string | undefined>>;
