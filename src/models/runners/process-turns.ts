/**
 * Who may run a process of a model now: several at the same time, or one that needs the machine for itself, for which
 * all others end first. In the order of asking.
 */

interface Waiting {
  readonly company: "shared" | "alone";
  readonly begin: () => void;
}

export interface Turn {
  /** Whether another process ran during any part of this turn. */
  readonly hadCompany: boolean;
  end(): void;
}

export class ProcessTurns {
  #most: number;
  #running = 0;
  #isAlone = false;
  #begun = 0;
  readonly #waiting: Waiting[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async take(company: "shared" | "alone"): Promise<Turn> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ company, begin });
      this.#next();
    });
    const others = this.#running - 1;
    const begun = this.#begun;
    const hadCompany = () => others > 0 || this.#begun > begun;
    return {
      get hadCompany() {
        return hadCompany();
      },
      end: () => {
        this.#running--;
        this.#isAlone = false;
        this.#next();
      },
    };
  }

  /** From now on one at a time. */
  oneByOne(): void {
    this.#most = 1;
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#isAlone || this.#running >= (first.company === "alone" ? 1 : this.#most)) return;
      this.#waiting.shift();
      this.#running++;
      this.#begun++;
      this.#isAlone = first.company === "alone";
      first.begin();
    }
  }
}
