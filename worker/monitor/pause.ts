/** Why delivery is paused, and since when. */
export interface Pause {
  readonly reason: string;
  readonly by: "credential" | "operator";
  readonly sinceMs: number;
  /** QStash has confirmed that it holds the messages back. */
  readonly confirmed: boolean;
}
