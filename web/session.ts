/** Who is asking. */

export interface Session {
  readonly authentication: "access-keys" | "none";
  readonly signedIn: boolean;
  readonly account?: string;
  readonly operator?: boolean;
}
