/** memoir completion */

import { AppError } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { bashScript } from "../completion/bash-script.ts";
import { type CommandRow, type CompletedCommand, completionWords } from "../completion/completion-words.ts";
import { fishScript } from "../completion/fish-script.ts";
import { zshScript } from "../completion/zsh-script.ts";

const scripts: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export const completionOf = (rows: readonly CommandRow[]) =>
  defineCommand<{ readonly shell: string; readonly script: string }>({
    name: "completion",
    summary: "Print a completion script for your shell",
    details: [
      "bash: `memoir completion bash > ~/.local/share/bash-completion/completions/memoir`. zsh: write it as `_memoir` into a folder of $fpath. fish: `memoir completion fish > ~/.config/fish/completions/memoir.fish`.",
    ],
    arguments: [{ name: "SHELL", description: "bash, zsh or fish", required: true }],
    options: [],
    examples: [{ command: "memoir completion bash > memoir.bash && . ./memoir.bash" }],
    act: async (given) => {
      const shell = given.argument(0) ?? "";
      const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
      if (script === undefined)
        throw new AppError(
          "CLI_USAGE",
          `memoir completion: there is no script for '${shell}'; expected bash, zsh or fish`,
        );
      return { shell, script: script(await completionWords(rows)) };
    },
    render: ({ script }, screen) => screen.out(script.trimEnd()),
  });
