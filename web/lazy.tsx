/** Views that are loaded when they are first shown. */
import type { ComponentType, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { problemOf } from "./client.ts";
import { Loading, ProblemNote } from "./parts/small.tsx";

export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => VNode {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props): VNode {
    const [, setRound] = useState(0);
    const [error, setError] = useState<unknown>(undefined);
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          setRound((count) => count + 1);
        },
        (failure: unknown) => setError(failure),
      );
    }, []);
    if (error !== undefined)
      return (
        <ProblemNote
          problem={{ ...problemOf(error), hint: "Load the page again: the server may have been updated." }}
        />
      );
    const Loaded = loaded;
    return Loaded === undefined ? <Loading what="the page" /> : <Loaded {...props} />;
  };
}
