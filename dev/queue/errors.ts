/** An answer QStash gives to a request it refuses: the status and the text of `{"error": …}`. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Why the queue could not be started; `code` is fixed and the message says what to do. */
export class StartError extends Error {
  readonly code: "port_taken" | "database_in_use" | "database_unreadable";
  constructor(code: StartError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
