import { expect, test } from "vitest";
import { labelled } from "./labels";

test("who is offered is offered once, with his badge where it is known, and told apart from one of the same name", () => {
  const all = [
    { id: "us-1111", name: "王伟", badge: "DH-001" },
    { id: "us-1111", name: "王伟" },
    { id: "us-2222", name: "李芳" },
    { id: "us-3333", name: "李芳" },
    { id: "gr-4444", name: "" },
    { id: "", name: "系统" },
  ];
  expect(new Map(labelled(all).map(({ id, label }) => [id, label]))).toEqual(
    new Map([
      ["us-1111", "王伟 DH-001"],
      ["us-2222", "李芳 …2222"],
      ["us-3333", "李芳 …3333"],
      ["gr-4444", "gr-4444"],
    ]),
  );
});
