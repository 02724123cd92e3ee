// The outbox of whoever is signed in here, with the browser's database, network and place.

import { freshToken } from "../account/account";
import type { Refusal } from "../wire/protocol";
import { Again, type Ask, Never } from "./delivery";
import type { Item, Place, Status } from "./item";
import { Outbox, type Shelf } from "./outbox";

const DATABASE = "poc-materials";
const STORE = "items";
/** How long a photo waits to learn where it was taken. */
const PLACE_WITHIN_MS = 5_000;
const PLACE_AGE_MS = 60_000;
/** Answers after which the same request may succeed: signed out, too fast, a server on its way. */
const LATER = new Set([401, 408, 425, 429]);

let found: Outbox | null = null;

/** The outbox of this person; opened once a page. */
export function outbox(user: string): Outbox {
  if (found?.user !== user) {
    found = new Outbox(user, {
      shelf: shelf(),
      ask,
      now: () => Date.now(),
      place,
      pause,
      alone: (work) => (navigator.locks ? navigator.locks.request(`poc.materials.${user}`, work) : work()),
    });
    const mine = found;
    void mine.open().catch(() => undefined);
  }
  return found;
}

const ask: Ask = async (method, path, body, offset) => {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await freshToken()}`,
        ...(offset === undefined
          ? { "content-type": "application/json" }
          : { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) }),
      },
      body: offset === undefined ? JSON.stringify(body) : (body as Blob),
    });
  } catch {
    throw new Again();
  }
  if (response.ok) return (await response.json()) as Status;
  if (response.status >= 500 || LATER.has(response.status)) throw new Again();
  const { code } = (await response.json().catch(() => ({}))) as { code?: Refusal };
  // The server has another part of it than this page thought: the next announcement says which.
  if (response.status === 409 && method === "PATCH") throw new Again();
  throw new Never(code ?? "unavailable");
};

function place(): Promise<Place | null> {
  const looked = new Promise<Place | null>((done) => {
    if (!navigator.geolocation) return done(null);
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) =>
        done({
          longitude: coords.longitude,
          latitude: coords.latitude,
          accuracy_m: coords.accuracy,
          at_ms: Math.round(timestamp),
          source: "device",
        }),
      () => done(null),
      { enableHighAccuracy: true, maximumAge: PLACE_AGE_MS, timeout: PLACE_WITHIN_MS },
    );
  });
  // A browser that asks its user first does not count that time.
  return Promise.race([looked, new Promise<null>((done) => setTimeout(() => done(null), PLACE_WITHIN_MS))]);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      done();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
  });
}

function shelf(): Shelf {
  const opened = new Promise<IDBDatabase>((done, failed) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const done = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> => {
    const transaction = (await opened).transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  };
  return {
    all: () => done<Item[]>("readonly", (store) => store.getAll()),
    put: async (item) => void (await done("readwrite", (store) => store.put(item))),
    remove: async (id) => void (await done("readwrite", (store) => store.delete(id))),
  };
}
