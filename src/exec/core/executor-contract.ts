/** The contract suite that every executor passes: run it in the test of a new executor before writing its code. */
import { afterAll, beforeAll, describe } from "vitest";
import { ContractBench, type ExecutorContract } from "./contract-bench.ts";
import { endsOfTasks } from "./contract-ends.ts";
import { inputsOfTasks } from "./contract-inputs.ts";
import { isolationOfTasks } from "./contract-isolation.ts";

export type { ExecutorContract } from "./contract-bench.ts";

export function executorContract(contract: ExecutorContract): void {
  describe(`tasks on ${contract.name}`, () => {
    const bench = new ContractBench(contract);
    beforeAll(() => bench.open());
    afterAll(() => bench.close());
    endsOfTasks(bench);
    inputsOfTasks(bench);
    isolationOfTasks(bench);
  });
}
