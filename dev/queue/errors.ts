/** An answer QStash gives to a request it refuses: the status and the text of `{"error": …}`. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
