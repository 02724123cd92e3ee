import { expect, test } from "vitest";
import { calmly } from "./now";

test("until it is looked at again, the calm clock of ages is not behind, and at most eleven seconds before it", () => {
  for (let looked = 0; looked < 30_000; looked += 250) {
    const ahead = calmly(looked) - looked;
    expect(ahead).toBeGreaterThanOrEqual(1000);
    expect(ahead).toBeLessThan(11_000);
  }
});
