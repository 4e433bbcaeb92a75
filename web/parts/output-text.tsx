/** What a program wrote; never markup. */
import type { VNode } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { countText } from "../format.ts";
import { endOfText } from "../terminal-text.ts";

export function OutputText(props: {
  readonly label: string;
  readonly text: string;
  readonly follows?: boolean;
}): VNode {
  const { label, follows = false } = props;
  const { text, left } = endOfText(props.text);
  const box = useRef<HTMLPreElement>(null);
  const wasAtEnd = useRef(true);
  useLayoutEffect(() => {
    const { current } = box;
    if (follows && current !== null && wasAtEnd.current) current.scrollTop = current.scrollHeight;
  });
  const onScroll = () => {
    const { current } = box;
    if (current !== null)
      wasAtEnd.current = current.scrollTop + current.clientHeight >= current.scrollHeight - 20;
  };
  return (
    <>
      {left === 0 ? null : <p class="quiet">The first {countText(left)} characters are left out.</p>}
      <pre ref={box} tabIndex={0} role="region" aria-label={label} onScroll={onScroll}>
        {text === "" ? <span class="quiet">(empty)</span> : text}
      </pre>
    </>
  );
}
