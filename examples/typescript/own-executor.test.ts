import { executorContract } from "memoir/testing";
import { NiceExecutor } from "./own-executor.js";

executorContract({
  name: "nice processes",
  graceful: true,
  hidesProcesses: false,
  make: async () => {
    const executor = new NiceExecutor("5", process.env["PATH"] ?? "/usr/bin:/bin");
    await executor.open();
    return executor;
  },
});
