/** Which keys do what. */
import type { VNode } from "preact";
import { Dialog } from "./dialog.tsx";

export function HelpDialog(props: {
  readonly sections: readonly { readonly title: string; readonly key: string }[];
  onClose(): void;
}): VNode {
  const keys: readonly (readonly [keys: readonly string[], what: string])[] = [
    [["/"], "search"],
    [["j", "k"], "next and previous row"],
    [["Enter"], "open the row"],
    [["Esc"], "close a dialog"],
    [["?"], "this list"],
    ...props.sections.map(({ title, key }) => [["g", key], title] as const),
  ];
  return (
    <Dialog title="Keys of this page" onClose={props.onClose}>
      <table>
        <tbody>
          {keys.map(([names, what]) => (
            <tr key={what}>
              <td>
                {names.map((name, at) => (
                  <span key={name}>
                    {at > 0 ? " " : ""}
                    <kbd>{name}</kbd>
                  </span>
                ))}
              </td>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="buttons">
        <button type="button" onClick={props.onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
