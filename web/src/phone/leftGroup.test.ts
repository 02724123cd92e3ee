import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { blank, told } from "../wire/picture";
import type { GroupSummary, ServerMessage } from "../wire/protocol";
import { LeftGroup } from "./leftGroup";

const group = (id: string, kind: GroupSummary["kind"] = "chat"): GroupSummary => ({
  id,
  name: `group ${id}`,
  kind,
  may_talk: true,
  priority: 0,
  members: 3,
});

function member(selected: string | null, groups: GroupSummary[], wanted: string | null = selected) {
  const picture = signal({ ...blank, groups, selected });
  const chosen: string[] = [];
  let hear: (message: ServerMessage) => void = () => undefined;
  const left = new LeftGroup(
    {
      picture,
      follow: (listener) => {
        hear = listener;
      },
      select: (one) => chosen.push(one),
    },
    () => wanted,
  );
  const tell = (message: ServerMessage) => {
    picture.value = told(picture.value, message);
    hear(message);
  };
  tell({ type: "pong", id: "1", server_time_ms: 1 });
  return { picture, chosen, left, tell };
}

test("who comes into a group has it among his own and stays where he is; those of incidents stay", () => {
  const { picture, chosen, left, tell } = member("a", [group("a"), group("case", "incident")]);
  tell({ type: "groups", groups: [group("a"), group("b")], selected: "a" });
  expect(picture.value.groups.map(({ id }) => id)).toEqual(["a", "b", "case"]);
  expect([picture.value.selected, left.name.value, chosen]).toEqual(["a", null, []]);
});

test("who is out of the group he talked in is told which it was, and talks in another", () => {
  const { chosen, left, tell } = member("a", [group("a"), group("b")]);
  tell({ type: "groups", groups: [group("b")], selected: null });
  expect([left.name.value, chosen]).toEqual(["group a", ["b"]]);
});

test("the first group of one who had none is chosen, and nothing is said", () => {
  const { chosen, left, tell } = member(null, []);
  tell({ type: "groups", groups: [group("b")], selected: null });
  expect([left.name.value, chosen]).toEqual([null, ["b"]]);
});

test("whose groups change while he is still coming into the one he chose talks in that one", () => {
  const { chosen, left, tell } = member(null, [group("a"), group("b")], "b");
  tell({ type: "groups", groups: [group("a"), group("b"), group("c")], selected: null });
  expect([left.name.value, chosen]).toEqual([null, ["b"]]);
});
