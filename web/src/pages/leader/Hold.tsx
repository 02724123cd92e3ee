// A key that acts while it is held: by pointer, keyboard or screen reader. A scroll that begins on it calls nobody.

import { useHold } from "../../ui/hold";

type Props = { class: string; title: string; hint: string; down: () => void; up: () => void };

export function Hold({ class: name, title, hint, down, up }: Props) {
  return (
    <button type="button" class={`hold ${name}`} {...useHold({ down, up, settles: true })}>
      <strong>{title}</strong>
      <span>{hint}</span>
    </button>
  );
}
