import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Request } from "../wire/link";
import type { ServerMessage } from "../wire/protocol";
import { Receipts } from "./receipts";

const SAID = 480_000;
const BURST = 7;
const LONG_ENOUGH_MS = 5_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function phone() {
  const total = [0, 0];
  const ending = { until: 0 };
  const asked: Request[] = [];
  const receipts = new Receipts({
    ask: (request) => {
      asked.push(request);
      return Promise.resolve({} as ServerMessage);
    },
    audible: () => true,
    played: (slot) => Promise.resolve({ total: total[slot] ?? 0, concealed: 0, inserted: 0, removed: 0 }),
    ending: () => performance.now() < ending.until,
    busy: () => false,
    kept: () => undefined,
    arrived: () => undefined,
  });
  const tell = (message: object) => receipts.received(message as ServerMessage);
  const broadcast = (more: object) =>
    tell({
      type: "broadcast",
      broadcast: { id: "b", kind: "live", group: "broadcast", burst: BURST, ...more },
      receipt: "delivered",
    });
  return { total, ending, asked, tell, broadcast };
}

test.each([
  { played: [SAID, 0], receipts: [{ state: "heard", samples_played: SAID }] },
  { played: [0, SAID], receipts: [] },
])(
  "of two bursts of one number, of $played samples, that of the broadcast's group counts",
  async ({ played, receipts }) => {
    const { total, asked, tell, broadcast } = phone();
    broadcast({ state: "running" });
    for (const [slot, group] of ["broadcast", "street"].entries())
      tell({ type: "slot", slot, group, burst: BURST });
    await vi.advanceTimersByTimeAsync(LONG_ENOUGH_MS);
    total.splice(0, 2, ...played);
    for (const slot of [0, 1]) tell({ type: "slot", slot });
    broadcast({ state: "over", samples: SAID });
    await vi.advanceTimersByTimeAsync(LONG_ENOUGH_MS);
    expect(asked).toMatchObject(receipts);
    expect(asked).toHaveLength(receipts.length);
  },
);

test("what comes after the end of a burst, held up by its talker's network, is heard", async () => {
  const { total, ending, asked, tell, broadcast } = phone();
  broadcast({ state: "running" });
  tell({ type: "slot", slot: 0, group: "broadcast", burst: BURST });
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH_MS);
  ending.until = performance.now() + 2 * LONG_ENOUGH_MS;
  tell({ type: "slot", slot: 0 });
  broadcast({ state: "over", samples: SAID });
  await vi.advanceTimersByTimeAsync(LONG_ENOUGH_MS);
  total[0] = SAID;
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(2 * LONG_ENOUGH_MS);
  expect(asked).toMatchObject([{ state: "heard", samples_played: SAID }]);
});
