// What this phone's receipts rest on: what it is told, whether a person would hear it, and what its slots have played.

import type { ReadonlySignal } from "@preact/signals";
import { Receipts } from "../emergency/receipts";
import type { ToneName } from "../media/melodies";
import type { Slots } from "../media/slots";
import type { Request } from "../wire/link";
import type { Picture } from "../wire/picture";
import type { Broadcast, ServerMessage } from "../wire/protocol";
import type { Hearing } from "./hearing";

/** What receipts need of a phone. */
interface Receiver {
  readonly picture: ReadonlySignal<Picture>;
  readonly floorState: ReadonlySignal<{ held: boolean }>;
  ask(request: Request): Promise<ServerMessage>;
  marked(id: string, receipt: NonNullable<Broadcast["receipt"]>): void;
  tone(name: ToneName): void;
}

export function receiptsOf(phone: Receiver, hearing: Hearing, slots: Slots): Receipts {
  return new Receipts({
    ask: (request) => phone.ask(request),
    audible: (slot) => hearing.deafness() === null && (slot === undefined || slots.audible(slot)),
    played: (slot) => slots.played(slot),
    ending: (at) => phone.picture.peek().slots.some(({ slot, over }) => slot === at && over),
    busy: () => phone.floorState.peek().held || phone.picture.peek().slots.length > 0,
    kept: (id, state) => {
      if (state === "heard") phone.marked(id, state);
    },
    arrived: ({ broadcast }) => {
      // What is only practised never sounds or shakes like what is meant.
      const urgent = !broadcast.exercise && (broadcast.tier ?? 0) > 0;
      phone.tone(urgent ? "attention" : "incoming");
      if (urgent) navigator.vibrate?.([300, 150, 300, 150, 300]);
    },
  });
}
