// A key that acts while it is held: pointer, or Enter on the keyboard.

type Props = { class: string; title: string; hint: string; down: () => void; up: () => void };

export function Hold({ class: name, title, hint, down, up }: Props) {
  return (
    <button
      type="button"
      class={`hold ${name}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        down();
      }}
      onPointerUp={up}
      onPointerCancel={up}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key === "Enter" && !event.repeat) down();
      }}
      onKeyUp={(event) => {
        if (event.key === "Enter") up();
      }}
    >
      <strong>{title}</strong>
      <span>{hint}</span>
    </button>
  );
}
