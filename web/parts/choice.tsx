/** A filter with few values; its value is in the address. */
import type { VNode } from "preact";
import { setQuery } from "../location.ts";

export function Choice(props: {
  readonly label: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly choices: readonly string[];
  /** What holds where the address names nothing; default: any. */
  readonly usual?: string;
}): VNode {
  const { label, name, value, choices, usual } = props;
  return (
    <label>
      {label}
      <select value={value ?? usual ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
        {usual === undefined ? <option value="">any</option> : null}
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );

  function choose(chosen: string): void {
    setQuery({ [name]: chosen === usual ? undefined : chosen });
  }
}
