import { describe, expect, it } from "vitest";
import { LIMITS } from "./model";
import { mutesSlots } from "./participant";
import { Driver, GROUP, named, talking } from "./participant.driver";

describe("a press", () => {
  it("requests the floor and sends voice from the moment the key goes down", () => {
    const phone = new Driver();
    expect(phone.feed({ type: "press" }).map(named)).toEqual(["send_request", "open_microphone"]);
    expect(phone.state.phase.name).toBe("pending_request");
  });

  it("without a link says so at once and sends nothing", () => {
    const phone = new Driver();
    phone.feed({ type: "link", state: "down" });
    expect(phone.feed({ type: "press" }).map(named)).toEqual(["tone:no_network"]);
    expect(phone.state.notice?.kind).toBe("no_network");
  });

  it("without a media path says so", () => {
    const phone = new Driver();
    phone.feed({ type: "link", state: "no_media_path" });
    phone.feed({ type: "press" });
    expect(phone.state.notice?.kind).toBe("no_media_path");
  });

  it("without a group does nothing", () => {
    const phone = new Driver();
    phone.feed({ type: "group", group: null, yours: "none" });
    expect(phone.feed({ type: "press" })).toEqual([]);
  });

  it("that nobody answers is given up after the limit, not before, and takes its request back", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.run(LIMITS.answerMs - 1);
    expect(phone.state.phase.name).toBe("pending_request");
    phone.run(1);
    expect(phone.state.notice?.kind).toBe("no_answer");
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    expect(phone.names()).toContain("send_release");
  });
});

describe("a grant", () => {
  it("plays the permit tone and leaves the microphone as it is", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    expect(phone.grant().map(named)).toEqual(["tone:permit"]);
    expect(phone.state.microphone.name).toBe("on");
    expect(mutesSlots(phone.state)).toBe(true);
  });

  it("for another request or group is discarded", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    const grant = { type: "granted", burst: 1, durationMs: 1, fromQueue: false } as const;
    expect(phone.feed({ ...grant, id: "other", group: GROUP })).toEqual([]);
    expect(phone.feed({ ...grant, id: phone.request(), group: "g2" })).toEqual([]);
    expect(phone.state.phase.name).toBe("pending_request");
  });

  it("that nobody waits for is discarded", () => {
    const phone = new Driver();
    expect(phone.grant()).toEqual([]);
    expect(phone.state.phase.name).toBe("has_no_permission");
  });

  it("that comes after the key went up is given back with its burst", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.feed({ type: "lift" });
    phone.grant(42);
    phone.run(LIMITS.silenceMs);
    const effects = phone.feed({ type: "detached" });
    expect(effects).toMatchObject([{ type: "send_release", burst: 42 }]);
  });

  it("asked for again renews the time that remains", () => {
    const phone = talking();
    phone.now += 10_000;
    phone.grant(7, { durationMs: 5_000 });
    expect(phone.state.phase).toMatchObject({ endsAt: phone.now + 5_000 });
  });

  it("warns once before the time limit", () => {
    const phone = talking();
    expect(phone.run(30_000 - LIMITS.warningMs - 1).map(named)).toEqual([]);
    expect(phone.run(1).map(named)).toEqual(["tone:warning"]);
    expect(phone.run(LIMITS.warningMs).map(named)).toEqual([]);
  });
});

describe("a release", () => {
  it("goes silence, detach, Floor Release, in this order and with their pauses", () => {
    const phone = talking();
    expect(phone.feed({ type: "lift" }).map(named)).toEqual(["silence_microphone"]);
    expect(phone.run(LIMITS.silenceMs - 1)).toEqual([]);
    expect(phone.run(1).map(named)).toEqual(["detach_microphone"]);
    expect(phone.feed({ type: "detached" })).toMatchObject([
      { type: "send_release", group: GROUP, burst: 7 },
    ]);
    phone.feed({ type: "answered", id: phone.release() });
    expect(phone.state.phase.name).toBe("has_no_permission");
    expect(mutesSlots(phone.state)).toBe(false);
  });

  it("does not wait for ever for a browser that never detaches", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    phone.run(LIMITS.silenceMs + LIMITS.detachMs);
    expect(phone.names()).toContain("send_release");
  });

  it("that nobody answers is over after the limit", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    phone.run(LIMITS.releaseMs - 1);
    expect(phone.state.phase.name).toBe("pending_release");
    phone.run(1);
    expect(phone.state.phase.name).toBe("has_no_permission");
  });

  it("refused by the server is over too", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    phone.feed({ type: "refused", id: phone.release(), code: "not_selected", retryAfterMs: null });
    expect(phone.state.phase.name).toBe("has_no_permission");
    expect(phone.state.notice).toBeNull();
  });

  it("followed by a quick press asks again when it is done, and not before", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    expect(phone.feed({ type: "press" })).toEqual([]);
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    const effects = phone.feed({ type: "answered", id: phone.release() });
    expect(effects.map(named)).toEqual(["send_request", "open_microphone"]);
  });

  it("followed by a quick tap asks for nothing", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    phone.feed({ type: "press" });
    phone.feed({ type: "lift" });
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    expect(phone.feed({ type: "answered", id: phone.release() })).toEqual([]);
  });
});

describe("the queue", () => {
  it("closes the microphone and says so by a tone, once", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    expect(phone.queue(2).map(named)).toEqual(["silence_microphone", "tone:queued"]);
    expect(phone.queue(1)).toEqual([]);
    expect(phone.state.phase).toMatchObject({ position: 1, size: 3 });
  });

  it("gives the floor with a beep before the microphone opens", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.queue();
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    expect(phone.grant(9, { fromQueue: true }).map(named)).toEqual(["tone:permit_from_queue"]);
    expect(phone.run(LIMITS.queueBeepMs - 1).map(named)).toEqual([]);
    expect(phone.run(1).map(named)).toEqual(["open_microphone"]);
  });

  it("is left at once when the key goes up: nothing is on the air to be silenced", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.queue();
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    expect(phone.feed({ type: "lift" }).map(named)).toEqual(["send_release"]);
  });
});

describe("a refusal", () => {
  it("closes the microphone, sounds and tells the cause for a while", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    expect(phone.deny().map(named)).toEqual(["silence_microphone", "tone:denied"]);
    expect(phone.state.notice).toMatchObject({ kind: "denied", code: "floor_taken" });
    phone.run(LIMITS.noticeMs);
    expect(phone.state.notice).toBeNull();
  });

  it("is shown until its retry-after is over", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.deny(LIMITS.noticeMs + 1000);
    phone.run(LIMITS.noticeMs + 999);
    expect(phone.state.notice).not.toBeNull();
    phone.run(1);
    expect(phone.state.notice).toBeNull();
  });

  it("does not ask again by itself while the key stays down", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.deny();
    phone.run(LIMITS.silenceMs);
    expect(phone.feed({ type: "detached" })).toEqual([]);
  });

  it("lets a new press through while the microphone still closes", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.deny();
    phone.feed({ type: "lift" });
    expect(phone.feed({ type: "press" }).map(named)).toEqual(["send_request", "open_microphone"]);
  });

  it("lets a press during the detach wait for its end", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.deny();
    phone.feed({ type: "lift" });
    phone.run(LIMITS.silenceMs);
    expect(phone.feed({ type: "press" })).toEqual([]);
    expect(phone.feed({ type: "detached" }).map(named)).toEqual(["send_request", "open_microphone"]);
  });

  it("by an error counts as a denial", () => {
    const phone = new Driver();
    phone.feed({ type: "press" });
    phone.feed({ type: "refused", id: phone.request(), code: "talk_banned", retryAfterMs: null });
    expect(phone.state.notice).toMatchObject({ kind: "denied", code: "talk_banned" });
  });
});

describe("a revoke", () => {
  it("with a grace goes on until the grace is over, then lets go though the key stays down", () => {
    const phone = talking();
    const revoke = { type: "revoke", group: GROUP, burst: 7, cause: 4, graceMs: 1000 } as const;
    expect(phone.feed(revoke).map(named)).toEqual(["tone:revoked"]);
    expect(phone.run(999)).toEqual([]);
    expect(phone.run(1).map(named)).toEqual(["silence_microphone"]);
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    expect(phone.feed({ type: "answered", id: phone.release() })).toEqual([]);
    expect(phone.state.notice).toMatchObject({ kind: "revoked", cause: 4 });
  });

  it("without a grace cuts at once", () => {
    const phone = talking();
    const revoke = { type: "revoke", group: GROUP, burst: 7, cause: 4, graceMs: 0 } as const;
    expect(phone.feed(revoke).map(named)).toEqual(["silence_microphone", "tone:revoked"]);
  });

  it("of another burst is discarded", () => {
    const phone = talking();
    expect(phone.feed({ type: "revoke", group: GROUP, burst: 6, cause: 3, graceMs: 0 })).toEqual([]);
  });
});

describe("a burst that ended on the server because its voice had stayed away", () => {
  it.each([
    ["nobody has the floor any more", { type: "idle", group: GROUP, burst: 7 }],
    ["voice comes of no burst", { type: "revoke", group: GROUP, burst: 0, cause: 3, graceMs: 0 }],
  ] as const)("is over here, too: %s", (_, told) => {
    const phone = talking();
    expect(phone.feed(told).map(named)).toEqual(["silence_microphone", "tone:revoked"]);
    expect(phone.state.notice).toMatchObject({ kind: "revoked", cause: 255 });
    phone.run(LIMITS.silenceMs);
    expect(phone.feed({ type: "detached" }).map(named)).toEqual(["send_release"]);
  });

  it("is not the one that is spoken now", () => {
    expect(talking().feed({ type: "idle", group: GROUP, burst: 6 })).toEqual([]);
  });

  it("keeps the cause for which the floor was already being taken", () => {
    const phone = talking();
    phone.feed({ type: "revoke", group: GROUP, burst: 7, cause: 2, graceMs: 1000 });
    expect(phone.feed({ type: "idle", group: GROUP, burst: 7 }).map(named)).toEqual(["silence_microphone"]);
    expect(phone.state.notice).toMatchObject({ kind: "revoked", cause: 2 });
  });

  it("that was let go already is let go once", () => {
    const phone = talking();
    phone.feed({ type: "lift" });
    expect(phone.feed({ type: "idle", group: GROUP, burst: 7 })).toEqual([]);
  });
});

describe("a lost link", () => {
  it("while talking closes the microphone in order and sends nothing", () => {
    const phone = talking();
    expect(phone.feed({ type: "link", state: "down" }).map(named)).toEqual([
      "silence_microphone",
      "tone:no_network",
    ]);
    expect(phone.run(LIMITS.silenceMs).map(named)).toEqual(["detach_microphone"]);
    expect(phone.feed({ type: "detached" })).toEqual([]);
  });

  it("while idle makes no noise", () => {
    const phone = new Driver();
    expect(phone.feed({ type: "link", state: "down" })).toEqual([]);
  });

  it("that comes back with the floor still ours gives it back", () => {
    const phone = talking();
    phone.feed({ type: "link", state: "down" });
    phone.run(LIMITS.silenceMs);
    phone.feed({ type: "detached" });
    phone.feed({ type: "link", state: "up" });
    const effects = phone.feed({ type: "group", group: GROUP, yours: "granted" });
    expect(effects.map(named)).toEqual(["send_release"]);
  });
});
