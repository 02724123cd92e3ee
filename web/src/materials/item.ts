// A photo or note from the field as this device keeps it until the server has it whole.

export type Place = {
  longitude: number;
  latitude: number;
  accuracy_m: number;
  at_ms: number;
  source: "device";
};

export type Item = {
  /** Chosen here, at random, so that what is announced twice is one thing. */
  id: string;
  user: string;
  kind: "photo" | "note";
  group: string;
  incident: string | null;
  note: string;
  origin: "camera" | "gallery" | "none";
  /** By this device's clock, which the server compares with its own. */
  takenMs: number;
  place: Place | null;
  sha256: string;
  picture: Blob | null;
  /** Why the server will never take it; null while it is to be sent. */
  refused: string | null;
};

/** What a person took or wrote. */
export type Taken = Pick<Item, "user" | "group" | "incident" | "note" | "origin" | "picture">;

/** What the server says of it. */
export type Status = {
  state: "receiving" | "kept" | "refused";
  offset: number;
  chunk_bytes: number;
  detail: string;
};

export function announcement(item: Item, now: number) {
  const said = {
    id: item.id,
    kind: item.kind,
    group: item.group,
    note: item.note,
    origin: item.origin,
    taken_ms: item.takenMs,
    sent_ms: now,
    ...(item.incident ? { incident: item.incident } : {}),
    ...(item.place ? { place: item.place } : {}),
  };
  if (!item.picture) return said;
  return { ...said, media_type: item.picture.type, size: item.picture.size, sha256: item.sha256 };
}

export async function digest(data: Blob): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", await data.arrayBuffer());
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
