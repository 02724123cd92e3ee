// Asks before something is done that others, or one's own work, would suffer from.

import { useEffect, useRef } from "preact/hooks";

type QuestionProps = {
  words: string;
  /** The way back comes first and has the focus. */
  stay: { words: string; act: () => void };
  go: { words: string; act: () => void };
  /** Whether nothing else can be touched meanwhile; an SOS key must be. */
  modal?: boolean;
};

export function Question({ words, stay, go, modal = true }: QuestionProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (modal) box.current?.showModal();
    else box.current?.show();
  }, [modal]);
  useEffect(() => {
    // Also where the focus is on what stays in reach.
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape") box.current?.close();
    };
    addEventListener("keydown", leave);
    return () => removeEventListener("keydown", leave);
  }, []);
  return (
    <dialog class="question" ref={box} aria-labelledby="question-words" onClose={stay.act}>
      <p id="question-words">{words}</p>
      <p class="answers">
        <button type="button" class="primary" onClick={() => box.current?.close()}>
          {stay.words}
        </button>
        <button type="button" class="danger" onClick={go.act}>
          {go.words}
        </button>
      </p>
    </dialog>
  );
}
