import { expect, test, vi } from "vitest";
import type { ClientMessage, ServerMessage } from "../wire/protocol";
import { Floors, SharedVoice } from "./several";

// The runner arms its timers at the window.
vi.stubGlobal("window", globalThis);

function scene() {
  const said: string[] = [];
  const sent: ClientMessage[] = [];
  const floors = new Floors({
    urge: (message) => sent.push(message) > 0,
    voice: {
      open: () => said.push("open"),
      silence: () => said.push("silence"),
      detach: async () => {
        said.push("detach");
      },
    },
    tone: (tone) => said.push(tone),
    muteSlots: () => undefined,
  });
  floors.feed({ type: "link", state: "up" });
  floors.feed({ type: "group", group: "east", yours: "none" });
  return { said, sent, floors };
}

const requests = (sent: ClientMessage[]) => sent.filter(({ type }) => type === "floor_request");

test("one press asks every group for its floor, each under an id of its own", () => {
  const { floors, sent } = scene();
  floors.feed({ type: "press" });
  floors.pressAlso(["west", "north"]);
  const asked = requests(sent) as { id: string; group: string }[];
  expect(asked.map(({ group }) => group)).toEqual(["east", "west", "north"]);
  expect(new Set(asked.map(({ id }) => id)).size).toBe(3);
});

test("those granted together sound once, and the microphone opens once", () => {
  const { floors, said, sent } = scene();
  floors.feed({ type: "press" });
  floors.pressAlso(["west"]);
  for (const { id, group } of requests(sent) as { id: string; group: string }[]) {
    floors.received({ type: "floor_granted", id, group, burst: 7, duration_ms: 30_000 });
  }
  expect(said.filter((word) => word === "permit")).toHaveLength(1);
  expect(said.filter((word) => word === "open")).toHaveLength(1);
  expect(floors.all.value.map(({ phase }) => phase.name)).toEqual(["has_permission", "has_permission"]);
});

test("a group that denies ends for itself; the other goes on with an open microphone", () => {
  const { floors, said, sent } = scene();
  floors.feed({ type: "press" });
  floors.pressAlso(["west"]);
  const [east, west] = requests(sent) as { id: string; group: string }[];
  if (!east || !west) throw new Error("not asked");
  floors.received({ type: "floor_granted", id: east.id, group: "east", burst: 7, duration_ms: 30_000 });
  floors.received({
    type: "floor_deny",
    id: west.id,
    group: "west",
    cause: 1,
    code: "floor_taken",
    message: "",
  });
  expect(floors.state.value.phase.name).toBe("has_permission");
  expect(said).not.toContain("silence");
});

test("what is said in a call goes on while another group is selected beneath it", () => {
  const { floors, said, sent } = scene();
  const selected = (id: string) =>
    ({ type: "selected", id: "s", group: { id, yours: "none" } }) as unknown as ServerMessage;
  floors.feed({ type: "press" });
  const [asked] = requests(sent) as { id: string }[];
  floors.received({
    type: "floor_granted",
    id: asked?.id ?? "",
    group: "east",
    burst: 7,
    duration_ms: 30_000,
  });
  floors.received(selected("west"), "east");
  expect([floors.state.value.group, said.includes("silence")]).toEqual(["east", false]);
  floors.received(selected("west"), "west");
  expect([floors.state.value.group, said.includes("silence")]).toEqual(["west", true]);
});

test("the microphone is silenced and detached when the last one lets go", async () => {
  const said: string[] = [];
  const voice = new SharedVoice({
    open: () => said.push("open"),
    silence: () => said.push("silence"),
    detach: async () => {
      said.push("detach");
    },
  });
  const [one, two] = [voice.port(), voice.port()];
  one.open();
  two.open();
  one.silence();
  await one.detach();
  expect(said).toEqual(["open"]);
  two.silence();
  await two.detach();
  expect(said).toEqual(["open", "silence", "detach"]);
});
