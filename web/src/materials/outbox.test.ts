import { expect, test, vi } from "vitest";
import { Again, Never } from "./delivery";
import type { Item, Place, Status } from "./item";
import { Outbox, type World } from "./outbox";

const CHUNK = 4;

/** A server that has so much of each upload, over a network that fails as told. */
function world(failures: ("announce" | "chunk" | "lost answer")[] = []) {
  const kept = new Map<string, Item>();
  const got = new Map<string, Uint8Array>();
  const sizes = new Map<string, number>();
  let announced = 0;
  const failing = (what: string) => {
    if (failures[0] !== what) return;
    failures.shift();
    throw new Again();
  };
  const status = (id: string): Status => {
    const offset = got.get(id)?.length ?? 0;
    return {
      state: offset < (sizes.get(id) ?? 0) ? "receiving" : "kept",
      offset,
      chunk_bytes: CHUNK,
      detail: "",
    };
  };
  const made: World = {
    shelf: {
      all: async () => [...kept.values()],
      put: async (item) => void kept.set(item.id, item),
      remove: async (id) => void kept.delete(id),
    },
    ask: async (method, path, body, offset) => {
      if (method === "POST") {
        announced += 1;
        const said = body as { id: string; size?: number; note: string };
        failing("announce");
        if (said.note === "bad") throw new Never("bad_message");
        sizes.set(said.id, said.size ?? 0);
        return status(said.id);
      }
      const id = path.split("/")[2] ?? "";
      failing("chunk");
      const piece = new Uint8Array(await (body as Blob).arrayBuffer());
      const before = got.get(id) ?? new Uint8Array();
      expect(offset).toBe(before.length);
      got.set(id, new Uint8Array([...before, ...piece]));
      failing("lost answer");
      return status(id);
    },
    now: () => 1_000,
    place: async () => null,
    pause: async () => undefined,
    alone: (work) => work(),
  };
  return { made, kept, got, announced: () => announced };
}

const picture = new Blob([new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9])], { type: "image/jpeg" });
const taken = { user: "u", group: "g", incident: null, note: "", origin: "camera" as const, picture };

test("a photo goes in pieces, and nothing of it stays behind", async () => {
  const { made, kept, got } = world();
  const outbox = new Outbox("u", made);
  await outbox.add(taken);
  await outbox.run();
  expect([...(got.values().next().value ?? [])]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(kept.size).toBe(0);
  expect(outbox.stand("g")).toBe("sent");
  expect(outbox.stand("other")).toBe("ready");
});

test("after a loss it goes on where the server has it, also when only the answer was lost", async () => {
  const { made, got, announced } = world(["announce", "lost answer", "chunk"]);
  const outbox = new Outbox("u", made);
  await outbox.add(taken);
  await outbox.run();
  expect([...(got.values().next().value ?? [])]).toHaveLength(9);
  expect(announced()).toBe(4);
});

test("a closed page loses nothing: the next one goes on", async () => {
  const { made, kept, got } = world();
  const never = new Promise<Status>(() => undefined);
  const closed = new Outbox("u", { ...made, ask: () => never });
  await closed.add(taken);
  expect(closed.stand("g")).toBe("sending");
  expect(kept.size).toBe(1);
  const stranger = new Outbox("somebody else", made);
  await stranger.open();
  await stranger.run();
  expect(got.size).toBe(0);
  const next = new Outbox("u", made);
  await next.open();
  await next.run();
  expect(got.size).toBe(1);
  expect(kept.size).toBe(0);
});

test("a page that closes while the place is still looked for loses nothing either", async () => {
  const { made, kept, got } = world();
  let say: (place: Place) => void = () => undefined;
  const looked = new Promise<Place>((resolve) => {
    say = resolve;
  });
  const never = new Promise<Status>(() => undefined);
  const here = new Outbox("u", { ...made, place: () => looked, ask: () => never });
  const added = here.add(taken);
  await vi.waitFor(() => expect([...kept.values()]).toMatchObject([{ place: null, picture }]));
  expect(here.items.value).toEqual([]);
  const place: Place = { longitude: 116, latitude: 40, accuracy_m: 5, at_ms: 1_000, source: "device" };
  say(place);
  await added;
  expect([...kept.values()]).toMatchObject([{ place }]);
  expect(here.items.value).toMatchObject([{ place }]);
  const next = new Outbox("u", made);
  await next.open();
  await next.run();
  expect(got.size).toBe(1);
});

test("what the server refuses is kept and told, and does not hold up what follows", async () => {
  const { made, kept } = world();
  const outbox = new Outbox("u", made);
  await outbox.add({ ...taken, note: "bad", picture: null, origin: "none" });
  await outbox.add({ ...taken, group: "h" });
  await outbox.run();
  expect(outbox.stand("g")).toBe("failed");
  expect(outbox.stand("h")).toBe("sent");
  const [left] = outbox.items.value;
  expect(left?.refused).toBe("bad_message");
  expect(outbox.refused.value).toEqual([left]);
  await outbox.drop(left?.id ?? "");
  expect(kept.size).toBe(0);
});
