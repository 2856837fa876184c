/** Rules for action names. Pure. */

/**
 * WorkOS publishes no grammar. An action is a segment of a URL path in its schema API, and SDKs before 11 do not encode it.
 * https://workos.com/docs/reference/audit-logs/schema/create
 */
const ACTION = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const ACTION_MAX_CHARS = 200;

/** Returns why WorkOS would refuse an action; undefined if it would accept it. */
export function actionFault(action: string): string | undefined {
  if (!ACTION.test(action)) return `the action ${JSON.stringify(action)} must be letters, digits, "_", "-" and dots`;
  return action.length > ACTION_MAX_CHARS
    ? `the action "${action.slice(0, 40)}…" is longer than ${ACTION_MAX_CHARS} characters`
    : undefined;
}
