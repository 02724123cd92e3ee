import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";
import { Floors } from "../floor/several";
import type { ClientMessage } from "../wire/protocol";
import { Pressing } from "./pressing";

vi.stubGlobal("window", globalThis);

function talking(begin: (key: Pressing) => void) {
  const sent: ClientMessage[] = [];
  const floors = new Floors({
    urge: (message) => sent.push(message) > 0,
    voice: { open: () => undefined, silence: () => undefined, detach: async () => undefined },
    tone: () => undefined,
    muteSlots: () => undefined,
  });
  floors.feed({ type: "link", state: "up" });
  floors.feed({ type: "group", group: "east", yours: "none" });
  const key = new Pressing(floors, { blocked: () => false, covert: signal(true) });
  begin(key);
  const { id } = sent.find(({ type }) => type === "floor_request") as { id: string };
  floors.received({ type: "floor_granted", id, group: "east", burst: 7, duration_ms: 30_000 });
  return { key, held: () => floors.state.value.held };
}

test("a telephone call that takes the microphone gives the floor back", () => {
  const { key, held } = talking((key) => key.press(0));
  expect(held()).toBe(true);
  key.microphone("lost");
  expect(held()).toBe(false);
});

test("a headset that is pulled does not, while another microphone is being opened", () => {
  const { key, held } = talking((key) => key.press(0));
  key.microphone("starting");
  key.microphone("warm");
  expect(held()).toBe(true);
});

test("what was opened for a while stays open: the microphone may come back", () => {
  const { key, held } = talking((key) => key.openFor("east", 30_000));
  key.microphone("lost");
  expect(held()).toBe(true);
});
