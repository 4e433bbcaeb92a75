/** exec/local: tasks as processes of this machine. */
export { createHostExecutor, type HostExecutorOptions } from "./host-executor.ts";
