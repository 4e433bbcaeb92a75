/** When a command that serves ends. */

/** Resolves when the user stops the server, or after the given time. */
export function stopOfServer(signal: AbortSignal, seconds: string | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = seconds === undefined ? undefined : setTimeout(resolve, Number(seconds) * 1000);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
