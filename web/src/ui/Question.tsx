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
  return (
    <dialog
      class="question"
      ref={box}
      aria-labelledby="question-words"
      onClose={stay.act}
      onKeyDown={(event) => {
        if (event.key === "Escape") box.current?.close();
      }}
    >
      <p id="question-words">{words}</p>
      <p class="answers">
        <button type="button" class="primary" onClick={stay.act}>
          {stay.words}
        </button>
        <button type="button" class="danger" onClick={go.act}>
          {go.words}
        </button>
      </p>
    </dialog>
  );
}
