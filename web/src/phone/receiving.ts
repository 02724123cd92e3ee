// What this phone's receipts rest on: what it is told, whether a person would hear it, and what its slots have played.

import { Receipts } from "../emergency/receipts";
import type { Slots } from "../media/slots";
import type { Hearing } from "./hearing";
import type { Phone } from "./phone";

export function receiptsOf(phone: Phone, hearing: Hearing, slots: Slots): Receipts {
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
