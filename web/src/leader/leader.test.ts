import { expect, test, vi } from "vitest";
import { inside, type Point } from "../map/ring";
import type { Phone } from "../phone/phone";
import { RequestRefused, RequestUnanswered } from "../wire/link";
import type { Plan } from "./api";
import { Command } from "./command";
import { choice, everyone, nobody, recipients, toggled, within } from "./targets";

const square: Point[] = [
  [114, 30],
  [114.1, 30],
  [114.1, 30.1],
  [114, 30.1],
  [114, 30],
];

test("who stands inside is counted, and the choice goes over the wire and back", () => {
  const place = (user: string, at: Point) => ({ user, name: user, ageMs: 0, at });
  const places = [place("in", [114.05, 30.05]), place("out", [114.2, 30.05])];
  expect(inside(square, [114.05, 30.05])).toBe(true);
  expect(within(places, square).map(({ user }) => user)).toEqual(["in"]);
  expect(recipients(nobody)).toEqual({ everyone: true });
  const chosen = { groups: toggled(nobody.groups, "g"), users: new Set(["u"]), ring: square };
  const to = recipients(chosen);
  expect(to).toEqual({ groups: ["g"], users: ["u"], area: { ring: square, datum: "WGS-84" } });
  expect(choice(to)).toEqual(chosen);
  expect(everyone(choice({ everyone: true }))).toBe(true);
});

test("a plan that the server cannot read begins as this page has read it; one that he may not run does not", async () => {
  const to = { groups: ["g"] };
  const call: Plan["starts"] = { what: "call", to, tier: 2, name: "Flood" };
  const note: Plan["starts"] = { what: "broadcast", to, kind: "text", tier: 0, text: "High ground" };
  const asked = async (starts: Plan["starts"], code: "unavailable" | "not_allowed") => {
    const sent: Record<string, unknown>[] = [];
    const ask = (message: Record<string, unknown>) => {
      sent.push(message);
      return sent.length > 1 ? Promise.resolve({}) : Promise.reject(new RequestRefused(code, ""));
    };
    const plan = { id: "pl", name: "", unit: "un", starts, version: 1 };
    await new Command({ ask } as unknown as Phone).run(plan);
    return sent;
  };
  const [run, again] = await asked(call, "unavailable");
  expect(again).toEqual({ type: "emergency_call", call: run?.call, to, tier: 2, name: "Flood" });
  const [, broadcast] = await asked(note, "unavailable");
  expect(broadcast).toMatchObject({ type: "broadcast_start", to, kind: "text", text: "High ground" });
  expect(await asked(call, "not_allowed")).toHaveLength(1);
});

test("what had no answer is asked for under the same name, for it may have begun; anything else under its own", async () => {
  const names: unknown[] = [];
  const answers: (Error | object)[] = [];
  const ask = (message: Record<string, unknown>) => {
    names.push(message.call ?? message.broadcast);
    const answer = answers.shift() ?? {};
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const command = new Command({ ask } as unknown as Phone);
  answers.push(
    new RequestUnanswered(),
    new RequestRefused("unavailable", ""),
    new RequestUnanswered(),
    {},
    {},
  );
  for (const tier of [2, 2, 1, 1, 1] as const) await command.holdCall(tier);
  const [first, again, other, otherAgain, anew] = names;
  expect([again, otherAgain]).toEqual([first, other]);
  expect(new Set([first, other, anew]).size).toBe(3);
});

test("a recording goes to those who were chosen when it was sent, however long its upload takes, and once", async () => {
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  vi.stubGlobal("localStorage", { getItem: () => null });
  let uploaded: (answer: object) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise((done) => (uploaded = done)));
  const sent: Record<string, unknown>[] = [];
  const ask = (message: Record<string, unknown>) => {
    sent.push(message);
    return Promise.resolve({});
  };
  const command = new Command({ ask } as unknown as Phone);
  const how = { urgent: true, exercise: false, acknowledge: true };
  command.chosen.value = choice({ groups: ["flood"] });
  const first = command.sendRecorded(new Blob(), "", how);
  const second = command.sendRecorded(new Blob(), "", how);
  command.chosen.value = nobody;
  await vi.waitFor(() => expect(command.sending.value).toBe(true));
  await new Promise((done) => setTimeout(done));
  uploaded({ ok: true, json: () => Promise.resolve({ message: "me-1" }) });
  expect([await first, await second]).toEqual([true, false]);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({ to: { groups: ["flood"] }, message: "me-1" });
  expect(command.sending.value).toBe(false);
  vi.unstubAllGlobals();
});

test("the ordinary call that is offered is to those who are chosen still", async () => {
  const ask = () => Promise.reject(new RequestRefused("ordinary_only", ""));
  const command = new Command({ ask } as unknown as Phone);
  command.chosen.value = choice({ users: ["u"] });
  await command.holdCall(2);
  expect(command.ordinary.value).toEqual({ users: ["u"] });
  command.chosen.value = choice({ users: ["v"] });
  expect(command.ordinary.value).toBeNull();
});
