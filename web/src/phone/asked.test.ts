import { afterEach, expect, test, vi } from "vitest";
import { RequestRefused } from "../wire/link";
import { asked, failed, refusal } from "./asked";

vi.stubGlobal("window", globalThis);
vi.useFakeTimers();

afterEach(() => {
  refusal.value = null;
});

test("what came to nothing is said for a while, whoever asked", async () => {
  failed(new RequestRefused("emergency_talking", ""));
  expect(refusal.value).toBe("emergency_talking");
  await vi.advanceTimersByTimeAsync(8_000);
  expect(refusal.value).toBeNull();
  expect(
    await asked({ ask: () => Promise.reject(new Error("no link")) }, { type: "listen", groups: [] }),
  ).toBeNull();
  expect(refusal.value).toBe("unreachable");
});
