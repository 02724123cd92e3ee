import { expect, test } from "vitest";
import type { Starts } from "./api";
import { draftOf, startsOf } from "./draft";
import { choice, nobody, toggled } from "./targets";

const drill: Starts = {
  what: "broadcast",
  to: { units: ["un-east"] },
  kind: "text",
  tier: 0,
  text: "集合",
  acknowledge: false,
  exercise: true,
  expires_s: 600,
};

function edited(starts: Starts, text: string, chosen = choice(starts.to)): Starts {
  const draft = draftOf({ id: "p", name: "演练", unit: "un", starts, version: 1 });
  return startsOf({ ...draft, text }, chosen, starts);
}

test("editing the words of a plan changes nothing else of it", () => {
  expect(edited(drill, "解散")).toEqual({ ...drill, text: "解散" });
  const gcj: Starts["to"] = {
    area: {
      ring: [
        [114, 30],
        [114.1, 30],
        [114.1, 30.1],
        [114, 30],
      ],
      datum: "GCJ-02",
    },
  };
  expect(edited({ ...drill, to: gcj }, "集合").to).toEqual(gcj);
});

test("whom the page cannot pick stays beside whom it picks, until it is to be everybody", () => {
  const more = { ...nobody, groups: toggled(nobody.groups, "gr") };
  expect(edited(drill, "集合", more).to).toEqual({ groups: ["gr"], units: ["un-east"] });
  expect(edited({ ...drill, to: { groups: ["gr"] } }, "集合", nobody).to).toEqual({ everyone: true });
});

test("a new broadcast is to be acknowledged, and so is each roll call", () => {
  const draft = { ...draftOf(null), what: "text" as const, text: "集合" };
  expect(startsOf(draft, nobody, null)).toMatchObject({ acknowledge: true, to: { everyone: true } });
  expect(startsOf({ ...draft, what: "roll_call" }, nobody, drill)).toMatchObject({ acknowledge: true });
});
