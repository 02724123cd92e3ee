// The talk key: thumb, mouse and space bar are one key. It is down while any of them holds it.

export type Holder = number | "space";

export class TalkKey {
  #holders = new Set<Holder>();

  constructor(
    private readonly onDown: (at: number) => void,
    private readonly onUp: () => void,
  ) {}

  down(holder: Holder, at: number): void {
    if (this.#holders.has(holder)) return;
    this.#holders.add(holder);
    if (this.#holders.size === 1) this.onDown(at);
  }

  up(holder: Holder): void {
    if (this.#holders.delete(holder) && this.#holders.size === 0) this.onUp();
  }

  /** The window lost the focus or was hidden: no "up" will come any more. */
  drop(): void {
    if (this.#holders.size === 0) return;
    this.#holders.clear();
    this.onUp();
  }
}

const TYPING = "input, textarea, select, [contenteditable]";

/**
 * Makes the space bar hold `key` wherever the focus is, but for where it types or where a person who walks with the keyboard
 * would press the button he stands on. Returns what ends it.
 */
export function bindSpace(key: TalkKey): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener(
    "keydown",
    (event) => {
      if (event.code !== "Space" || event.ctrlKey || event.altKey || event.metaKey) return;
      if (!talks(event.target)) return;
      event.preventDefault();
      if (!event.repeat) key.down("space", event.timeStamp);
    },
    { signal },
  );
  addEventListener(
    "keyup",
    (event) => {
      if (event.code !== "Space") return;
      if (talks(event.target)) event.preventDefault();
      key.up("space");
    },
    { signal },
  );
  addEventListener("blur", () => key.drop(), { signal });
  addEventListener("pagehide", () => key.drop(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden && key.drop(), { signal });
  return () => stop.abort();
}

function talks(target: EventTarget | null): boolean {
  if (!(target instanceof Element) || target.closest("[data-talk-key]")) return true;
  if (target.closest(TYPING)) return false;
  return !(target.closest("button, a, [role=option]") && target.matches(":focus-visible"));
}
