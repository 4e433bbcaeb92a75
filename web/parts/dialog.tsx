/** A question in front of the page; Escape closes it and the focus returns to where it was. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Dialog(props: {
  readonly title: string;
  readonly children: ComponentChildren;
  onClose(): void;
}): VNode {
  const { title, children, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

export function Confirm(props: {
  readonly title: string;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  readonly children: ComponentChildren;
  onConfirm(): void;
  onClose(): void;
}): VNode {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {props.children}
      <div class="buttons">
        <button
          type="button"
          class={props.isDangerous === true ? "danger" : "primary"}
          onClick={() => {
            props.onConfirm();
            props.onClose();
          }}
        >
          {props.confirm}
        </button>
        <button type="button" onClick={props.onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
