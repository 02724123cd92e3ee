import { signal } from "@preact/signals";
import { beforeEach, expect, test, vi } from "vitest";
import type { Brought } from "../wire/affairs";
import { blank } from "../wire/picture";
import { Choice } from "./choice";

beforeEach(() => {
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined });
});

function phone(keyIn: string) {
  const lifts: string[] = [];
  const asked: string[] = [];
  const brought = signal<Brought | null>({ call: "al-1", group: "sos" } as Brought);
  const choice = new Choice({
    picture: signal(blank),
    brought,
    follow: () => undefined,
    ask: (request) => {
      asked.push(request.type);
      return new Promise(() => undefined);
    },
    tone: () => undefined,
    keyIn: () => keyIn,
    lift: () => lifts.push(keyIn),
  });
  return { choice, lifts, asked };
}

test("who speaks in an emergency goes on when others take away the group he had selected", () => {
  const { choice, lifts, asked } = phone("sos");
  choice.move("b");
  expect([asked[0], lifts]).toEqual(["select", []]);
  choice.select("c");
  expect(lifts).toEqual(["sos"]);
});

test("what is said in the group that was taken away ends", () => {
  const { choice, lifts } = phone("a");
  choice.move("b");
  expect(lifts).toEqual(["a"]);
});
