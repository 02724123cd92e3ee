import { describe, expect, it } from "vitest";
import { type ParticipantState, type Phase, start } from "../floor/model";
import { t } from "../i18n";
import { idleFloor } from "../wire/picture";
import { type Facts, face, obstacle } from "./face";
import { spoken } from "./view/words";

const NOW = 1_000_000;
const ready: Facts = {
  dismissed: null,
  secure: true,
  online: true,
  link: "up",
  path: "connected",
  soundLocked: false,
  microphone: "warm",
  waved: false,
  askFirst: false,
  me: "me",
  mayTalk: true,
  waits: false,
  participant: { ...start, link: "up", group: "g" },
  floor: idleFloor,
  heard: null,
};
const permitted: Extract<Phase, { name: "has_permission" }> = {
  name: "has_permission",
  burst: 1,
  endsAt: NOW + 30_000,
  warned: false,
  openAt: null,
  revoke: null,
};

function inPhase(phase: Phase): Facts {
  return { ...ready, participant: { ...ready.participant, phase } };
}

function withNotice(notice: ParticipantState["notice"]): Facts {
  return { ...ready, participant: { ...ready.participant, notice } };
}

const taken = { ...idleFloor, state: "taken", by: { id: "u1", name: "张三" } } as const;
const lastWords = { type: "slot", slot: 0, group: "g", burst: 5, by: taken.by, over: true } as const;

describe("the face", () => {
  it.each<[string, Facts]>([
    ["idle", ready],
    ["listen_only", { ...ready, mayTalk: false }],
    ["taken", { ...ready, floor: taken }],
    ["idle", { ...ready, floor: { ...taken, by: { id: "me", name: "我" } } }],
    ["taken", { ...ready, floor: { ...idleFloor, burst: 5 }, heard: lastWords }],
    ["idle", { ...ready, floor: { ...idleFloor, burst: 6 }, heard: lastWords }],
    ["requesting", inPhase({ name: "pending_request", request: "f", until: NOW + 1 })],
    ["queued", inPhase({ name: "queued", request: "f", position: 1, size: 2 })],
    ["hold_on", { ...withNotice({ kind: "revoked", cause: 2, until: NOW + 1 }), waits: true }],
    ["talking", inPhase(permitted)],
    ["ending", inPhase({ ...permitted, endsAt: NOW + 10_000 })],
    ["talking", inPhase({ ...permitted, endsAt: NOW + 10_001 })],
    ["get_ready", inPhase({ ...permitted, openAt: NOW + 100 })],
    ["revoked_grace", inPhase({ ...permitted, revoke: { cause: 4, endsAt: NOW + 1000 } })],
    ["releasing", inPhase({ name: "pending_release", request: "f", burst: 1, sent: null, until: NOW + 1 })],
    ["microphone_starting", { ...inPhase(permitted), microphone: "starting" }],
    ["denied", withNotice({ kind: "denied", code: "floor_taken", cause: 1, retryAt: null, until: NOW + 1 })],
    ["revoked", withNotice({ kind: "revoked", cause: 2, until: NOW + 1 })],
    ["no_answer", withNotice({ kind: "no_answer", until: NOW + 1 })],
    ["no_path_yet", withNotice({ kind: "no_media_path", until: NOW + 1 })],
    ["idle", withNotice({ kind: "no_answer", until: NOW })],
    ["no_network", { ...ready, online: false }],
    ["reconnecting", { ...ready, link: "reconnecting" }],
    ["connecting", { ...ready, link: "reconnecting", path: "none" }],
    ["connecting", { ...ready, path: "connecting" }],
    ["no_group", { ...ready, participant: { ...ready.participant, group: null } }],
  ])("is %s", (name, facts) => {
    expect(face(facts, NOW).name).toBe(name);
  });
});

it("is told to let go of the key only with a hand on it", () => {
  const talking = face(inPhase(permitted), NOW);
  expect(spoken(talking, NOW).hint).toBe(t("face_talking_hint"));
  expect(spoken(talking, NOW, true).hint).toBe(t("face_opened_hint"));
});

it("says of last words that the channel is free", () => {
  const during = face({ ...ready, floor: taken, heard: { ...lastWords, over: false } }, NOW);
  const after = face({ ...ready, floor: { ...idleFloor, burst: 5 }, heard: lastWords }, NOW);
  expect([during, after].map((one) => spoken(one, NOW).title)).toEqual(["张三", "张三"]);
  expect([during, after].map((one) => spoken(one, NOW).hint)).toEqual([
    t("face_taken_hint"),
    t("face_taken_over_hint"),
  ]);
});

describe("the obstacle", () => {
  it.each<[string | undefined, Partial<Facts>]>([
    [undefined, {}],
    ["dismissed", { dismissed: "replaced" }],
    ["insecure", { secure: false }],
    ["sound_locked", { soundLocked: true }],
    ["no_media_path", { path: "failed" }],
    ["microphone_refused", { microphone: "refused" }],
    ["microphone_missing", { microphone: "missing" }],
    ["microphone_missing", { microphone: "unsupported" }],
    ["microphone_lost", { microphone: "lost" }],
    [undefined, { microphone: "refused", waved: true }],
    [undefined, { path: "failed", link: "reconnecting" }],
    ["microphone_ask", { askFirst: true, microphone: "cold" }],
    ["microphone_ask", { askFirst: true, microphone: "starting" }],
    [undefined, { askFirst: true, microphone: "warm" }],
    ["sound_locked", { soundLocked: true, microphone: "refused" }],
  ])("is %s with %o", (name, change) => {
    expect(obstacle({ ...ready, ...change })?.name).toBe(name);
  });
});
