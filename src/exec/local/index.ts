/** exec/local: tasks as processes of this machine. */

export { tryGuard } from "./guard.ts";
export { createHostExecutor, type HostExecutorOptions } from "./host-executor.ts";
