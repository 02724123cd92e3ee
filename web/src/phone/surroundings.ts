// What the browser tells about the world around the page: network, visibility, freezing. One place that listens to it.

export type Surroundings = {
  online: () => void;
  offline: () => void;
  /** Wi-Fi to mobile or back: the old addresses may be dead although nothing says so. */
  networkChanged: () => void;
  hidden: () => void;
  shown: () => void;
  frozen: () => void;
  blurred: () => void;
  /** A touch, click or key: the moment in which a browser lets sound and microphone begin. */
  touched: () => void;
};

type Connection = EventTarget & { type?: string };

/** Calls `on` from now on; returns what stops it. */
export function watch(on: Surroundings): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener("online", on.online, { signal });
  addEventListener("offline", on.offline, { signal });
  addEventListener("blur", on.blurred, { signal });
  addEventListener("pagehide", on.hidden, { signal });
  // A finger counts as a touch when it leaves the glass, a mouse button and a key when they go down.
  for (const name of ["pointerdown", "pointerup", "keydown"]) addEventListener(name, on.touched, { signal });
  document.addEventListener("freeze", on.frozen, { signal });
  document.addEventListener("resume", on.shown, { signal });
  document.addEventListener("visibilitychange", () => (document.hidden ? on.hidden() : on.shown()), {
    signal,
  });
  const connection = (navigator as { connection?: Connection }).connection;
  let type = connection?.type;
  // The event also tells of mere changes of speed, which move no address.
  connection?.addEventListener(
    "change",
    () => {
      if (connection.type === type) return;
      type = connection.type;
      on.networkChanged();
    },
    { signal },
  );
  return () => stop.abort();
}
