import { describe, expect, it } from "vitest";
import { parted, subtree, tree } from "./office";

const list = [
  { id: "3", name: "东湖一队", parent: "2" },
  { id: "1", name: "市", parent: null },
  { id: "2", name: "城东区", parent: "1" },
  { id: "4", name: "城西区", parent: "1" },
  { id: "5", name: "孤", parent: "gone" },
];

describe("the tree of units", () => {
  it("stands in order, and loses nobody whose parent is not shown", () => {
    expect(tree(list).map(({ unit, depth }) => `${depth}${unit.name}`)).toEqual([
      "0孤",
      "0市",
      "1城东区",
      "2东湖一队",
      "1城西区",
    ]);
  });

  it("knows what lies below a unit", () => {
    expect([...subtree("2", list)].sort()).toEqual(["2", "3"]);
  });

  it("parts those whose duty one plans from those of other units", () => {
    const [low, own, other] = [{ unit: "3" }, { unit: "2" }, { unit: "4" }];
    expect(parted([low, other, own], "2", list)).toEqual([[low, own], [other]]);
    expect(parted([low, other], undefined, list)).toEqual([[low, other], []]);
  });
});
