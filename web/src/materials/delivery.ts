// Sends one photo or note, from where the server has it to the end. No storage, no clock of its own.

import { announcement, type Item, type Status } from "./item";

/** The server's answer to one request. Rejects with `Again` when it is to be asked later, with `Never` when it said no. */
export type Ask = (method: "POST" | "PATCH", path: string, body: unknown, offset?: number) => Promise<Status>;

/** No network, a server that is busy or away, a sign-in that ended: the same may succeed later. */
export class Again extends Error {}

/** The server will not take it, however often it is asked. */
export class Never extends Error {}

/** Resolves when the server has it whole. Rejects with `Again` or `Never`. */
export async function deliver(item: Item, ask: Ask, now: () => number): Promise<void> {
  let status = await ask("POST", "/materials", announcement(item, now()));
  while (status.state === "receiving") {
    const { offset } = status;
    const piece = item.picture?.slice(offset, offset + status.chunk_bytes);
    status = await ask("PATCH", `/materials/${item.id}/upload`, piece, offset);
    // A server whose disk took nothing would be asked for ever.
    if (status.state === "receiving" && status.offset <= offset) throw new Again();
  }
  if (status.state === "refused") throw new Never(status.detail);
}
