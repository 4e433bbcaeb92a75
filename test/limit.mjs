/**
 * How long a test waits before it takes something for hung, in milliseconds. Every limit of the tests is this number or a
 * multiple of it, so that a slow or busy machine needs one setting: MEMOIR_TEST_PATIENCE=3 waits three times as long.
 * Limits find hangs. They never say that something is fast enough.
 */
export const limitMs = 240_000 * Number(process.env.MEMOIR_TEST_PATIENCE ?? 1);
