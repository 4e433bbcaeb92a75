/** How lists of runs are ordered and chosen: apart from the lists, so that naming these loads nothing else. */

export const runOrders = ["newest", "oldest", "workflow", "duration", "saved"] as const;

export const runStates = ["pending", "running", "succeeded", "failed", "cancelled", "crashed"] as const;
