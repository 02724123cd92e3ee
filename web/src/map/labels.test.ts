import { expect, test } from "vitest";
import { readable } from "./labels";

const label = (id: string, left: number, top: number) => ({
  id,
  name: { left, top, width: 40, height: 16 },
  dot: { left: left + 16, top: top - 500, width: 8, height: 8 },
});

test("of names that would cover each other the first stays; those that only touch both do", () => {
  expect([...readable([label("a", 0, 0), label("b", 39, 15), label("c", 40, 0), label("d", 0, 16)])]).toEqual(
    ["a", "c", "d"],
  );
});

test("a name that is left out covers nobody", () => {
  expect([...readable([label("a", 0, 0), label("b", 30, 0), label("c", 60, 0)])]).toEqual(["a", "c"]);
});

test("no name lies on the dot of another, which may be the one in danger", () => {
  const dot = { left: 20, top: 4, width: 8, height: 8 };
  const inDanger = { ...label("b", 200, 0), dot };
  expect([...readable([label("a", 0, 0), inDanger])]).toEqual(["b"]);
  expect([...readable([{ ...label("a", 0, 0), must: true }, inDanger])]).toEqual(["a", "b"]);
});
