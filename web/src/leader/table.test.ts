import { expect, test, vi } from "vitest";
import type { Report } from "./api";

vi.stubGlobal("localStorage", { getItem: () => "en", setItem: () => undefined });
vi.stubGlobal("navigator", { language: "en" });
vi.stubGlobal("document", { documentElement: {} });

test("each person has every time that is known of him, and no cell is a formula", async () => {
  const { tableOf } = await import("./table");
  const at = (second: number) => Date.UTC(2030, 0, 1, 8, 0, second);
  const receipts = [
    {
      person: { id: "u1", name: '=cmd("x")', badge: "B-1" },
      state: "acknowledged",
      sent_ms: at(1),
      delivered_ms: at(2),
      heard_ms: null,
      acknowledged_ms: at(9),
    },
    {
      person: { id: "u2", name: "Li", badge: "" },
      state: null,
      sent_ms: null,
      delivered_ms: null,
      heard_ms: null,
      acknowledged_ms: null,
    },
  ];
  const [head, first, second] = tableOf({ receipts } as unknown as Report).split("\r\n");
  expect(head?.split(",").length).toBe(7);
  expect(first).toContain(
    '"2030-01-01T08:00:01.000Z","2030-01-01T08:00:02.000Z","","2030-01-01T08:00:09.000Z"',
  );
  expect(first).toContain(`"'=cmd(""x"")"`);
  expect(second).toMatch(/^"Li","","[^"]+","","","",""$/);
});
