/** The contract suites wait for programs to end: this limit finds hangs only. */
export default { test: { testTimeout: 120_000, hookTimeout: 120_000 } };
