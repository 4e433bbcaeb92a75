/** `value(Color.red)`: what a choice of an enum stands for (1.3). */
import { argument, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const valueFunction: WdlFunction = {
  name: "value",
  specUrl: specSection("value"),
  call: (args, context) => {
    const value = argument(args, 0);
    return value.kind === "enum"
      ? context.choiceValue(value.name, value.choice)
      : misfit(value, "a choice of an enum");
  },
};
