import { expect, test } from "vitest";
import type { HandoverInfo, Patched } from "../wire/protocol";
import { dispatchTold, nothingDispatched, patchOf, waiting } from "./dispatch";

const zhao = { id: "zhao", name: "赵静" };
const he = { id: "he", name: "何建军" };
const patch: Patched = {
  type: "patched",
  patch: "pa-1",
  name: "中山路",
  by: zhao,
  groups: [
    { id: "east", name: "东城" },
    { id: "west", name: "西城" },
  ],
  open: true,
  since_ms: 1,
};
const handover: HandoverInfo = {
  id: "ho-1",
  by: zhao,
  to: he,
  state: "offered",
  note: "",
  alerts: [],
  scope: "none",
  monitored: [],
  listens: [],
  patches: [],
  offered_ms: 1,
};

test("a patch holds for its groups until it is taken apart", () => {
  const joined = dispatchTold(nothingDispatched, patch);
  expect(patchOf(joined, "west")?.patch).toBe("pa-1");
  expect(patchOf(joined, "north")).toBeNull();
  expect(patchOf(dispatchTold(joined, { ...patch, open: false }), "west")).toBeNull();
});

test("a handover waits for the one it is offered to, and is known to the one who offered it", () => {
  const offered = dispatchTold(nothingDispatched, { type: "handover", handover });
  expect(waiting(offered, "he").toMe?.id).toBe("ho-1");
  expect(waiting(offered, "zhao")).toMatchObject({ toMe: null, mine: { id: "ho-1" } });
  const taken = dispatchTold(offered, { type: "handover", handover: { ...handover, state: "accepted" } });
  expect(waiting(taken, "he")).toEqual({ toMe: null, mine: null });
});

test("monitoring ends with the scope none", () => {
  const all = dispatchTold(nothingDispatched, {
    type: "monitoring",
    scope: "all",
    hidden: false,
    groups: [],
  });
  expect(all.monitoring?.scope).toBe("all");
  const none = { type: "monitoring", scope: "none", hidden: false, groups: [] } as const;
  expect(dispatchTold(all, { ...none, groups: [] }).monitoring).toBeNull();
});
