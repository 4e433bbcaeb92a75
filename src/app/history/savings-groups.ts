/** What savings are counted by: apart from the counting, so that commands which only name these load nothing else. */

export const savingsGroups = ["workflow", "task", "model", "account"] as const;
export type SavingsGroup = (typeof savingsGroups)[number];
