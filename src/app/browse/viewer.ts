/** Who looks. Operators see what belongs to the machine, every account its own runs and caches of the server. */
export interface Viewer {
  readonly account: string;
  readonly isOperator: boolean;
}
