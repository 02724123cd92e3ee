import { expect, test } from "vitest";
import { affairsTold, broughtToTalk, nothingGoesOn, openAlerts } from "./affairs";
import type { Alert, AlertInfo, Call, ServerMessage } from "./protocol";

const wang = { id: "u1", name: "王强", badge: "1" };

function alert(id: string, more: Partial<AlertInfo> = {}): Alert {
  return {
    type: "alert",
    queue: true,
    alert: { id, by: wang, state: "raised", pressed_ms: 1, raised_ms: 1, ...more } as AlertInfo,
  };
}

const call = (phase: Call["phase"]): Call => ({
  type: "call",
  call: "c",
  group: "c",
  kind: "private",
  name: "",
  by: wang,
  phase,
  parties: [],
});

function after(...messages: ServerMessage[]) {
  return messages.reduce(affairsTold, nothingGoesOn);
}

test("an older version of an alert that comes late changes nothing", () => {
  const now = after(alert("a", { state: "claimed", version: 2 }), alert("a", { version: 1 }));
  expect(now.alerts.a?.alert.state).toBe("claimed");
});

test("open alerts stand by tier, then by age; those that are over are gone", () => {
  const now = after(
    alert("late", { raised_ms: 9 }),
    alert("peril", { tier: 1, raised_ms: 1 }),
    alert("early", { raised_ms: 5 }),
    alert("over", { state: "resolved" }),
  );
  expect(openAlerts(now).map(({ alert }) => alert.id)).toEqual(["early", "late", "peril"]);
});

test("a call can be talked in once it runs, and not after its end", () => {
  expect(broughtToTalk(after(call("setting up")))).toBeNull();
  expect(broughtToTalk(after(call("setting up"), call("running")))?.group).toBe("c");
  const over = after(call("running"), { type: "call_ended", call: "c", group: "c", end: "hung_up" });
  expect(broughtToTalk(over)).toBeNull();
  expect(over.calls).toEqual({});
});

test("a call that was answered rings no more", () => {
  const ringing: ServerMessage = {
    type: "call_ringing",
    call: "c",
    kind: "private",
    name: "",
    by: wang,
    ring_ms: 1,
  };
  expect(after(ringing).ringing).toHaveLength(1);
  expect(after(ringing, call("running")).ringing).toHaveLength(0);
  expect(after(ringing, { type: "call_stopped", call: "c", part: "joined" }).ringing).toHaveLength(0);
});

test("a group's condition lasts until it is normal again", () => {
  const peril: ServerMessage = { type: "emergency_state", group: "g", tier: 2, by: wang };
  expect(after(peril).conditions.g?.tier).toBe(2);
  expect(after(peril, { type: "emergency_state", group: "g", tier: 0 }).conditions).toEqual({});
});

test("who is listened to knows until the last one stops; who listens cannot talk there", () => {
  const on = (call: string): ServerMessage => ({ type: "ambient_on", call });
  expect(after(on("a"), on("a")).listenedToBy).toEqual(["a"]);
  expect(after(on("a"), on("b"), { type: "ambient_off", call: "a" }).listenedToBy).toEqual(["b"]);
  expect(broughtToTalk(after({ ...call("running"), kind: "ambient" }))).toBeNull();
});

test("who may not talk is told by whom and why, until he may again", () => {
  const barred = after({ type: "talk_banned", banned: true, by: wang, reason: "占用信道" });
  expect(barred.banned).toEqual({ by: wang, reason: "占用信道" });
  expect(affairsTold(barred, { type: "talk_banned", banned: false }).banned).toBeNull();
});
