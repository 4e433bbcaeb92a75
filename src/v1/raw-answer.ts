/** An answer that is not JSON. */
import type { HttpResponse } from "../http/index.ts";

export class RawAnswer {
  readonly response: HttpResponse;

  constructor(response: HttpResponse) {
    this.response = response;
  }
}
