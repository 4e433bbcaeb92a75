/** `subscribe { … }`: calls closures for items and for the end. */
import { Closure } from "../../values/closure.ts";
import { closureOf, type Operator, optionsOf } from "../operator.ts";

export const subscribe: Operator = (source, given) => {
  const options = optionsOf(given, "subscribe", ["onNext", "onComplete", "onError"]);
  const onNext = closureOf(given) ?? options.at("onNext");
  const onComplete = options.at("onComplete");
  source.subscribe({
    next: (value) => {
      if (onNext instanceof Closure) onNext.call([value]);
    },
    end: () => {
      if (onComplete instanceof Closure) onComplete.call([]);
    },
  });
  return null;
};
