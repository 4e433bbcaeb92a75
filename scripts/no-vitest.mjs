// Replaces the test runner when the list of required servers is read outside it.
export const describe = () => undefined;
