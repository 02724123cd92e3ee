import { expect, test } from "vitest";
import { OPTIONS, optionFields, sent, shown } from "./options";

const floor = {
  queueing: true,
  queue_limit: 10,
  audio_cut_in: false,
  dual_floor: false,
  end_of_media_ms: 4_000,
  transmit_limit_ms: 30_000,
  revoke_grace_ms: 500,
  retry_after_ms: 3_000,
  queue_answer_ms: 2_000,
};
const call = { hang_ms: null, maximum_ms: 3_600_000, least: 2 };
const group = { name: "东湖巡查组", kind: "chat", floor, call };

test("all that the server knows of a floor and a call is shown", () => {
  const names = OPTIONS.map(({ part, name }) => `${part}.${name}`).sort();
  const known = [
    ...Object.keys(floor).map((n) => `floor.${n}`),
    ...Object.keys(call).map((n) => `call.${n}`),
  ];
  expect(names).toEqual(known.sort());
});

test("what is shown and sent again is what it was", () => {
  const values = shown(group);
  expect(values).toMatchObject({ transmit_limit_s: 30, revoke_grace_s: 0.5, queueing: true, hang_s: null });
  const { name, kind, ...options } = values;
  delete options.floor;
  delete options.call;
  expect(sent({ name, kind, ...options }, group)).toEqual(group);
});

test("seconds become whole milliseconds, and what the form does not show stays", () => {
  const held = { ...group, floor: { ...floor, later: 1 } };
  const mine = { ...shown(held), end_of_media_s: 1.0005, dual_floor: true };
  expect(sent(mine, held).floor).toEqual({ ...floor, later: 1, end_of_media_ms: 1_001, dual_floor: true });
});

test("how calls end is asked of groups that have calls", () => {
  const field = optionFields.find(({ name }) => name === "least");
  expect([field?.when?.({ kind: "chat" }), field?.when?.({ kind: "prearranged" })]).toEqual([false, true]);
});
