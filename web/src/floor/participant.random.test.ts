import { describe, it } from "vitest";
import type { ParticipantInput } from "./model";
import { deadline } from "./participant";
import { Driver, GROUP } from "./participant.driver";

describe("any sequence", () => {
  it("never throws, never leaves a microphone open without a reason, never sets a deadline in the past", () => {
    let seed = 20_240_601;
    const chance = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const one = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
    const phone = new Driver();
    for (let step = 0; step < 10_000; step++) {
      const id = one([phone.request(), null, "x"]);
      const group = one([GROUP, GROUP, GROUP, "g2"]);
      const burst = one([7, 8]);
      const input = one<ParticipantInput>([
        { type: "press" },
        { type: "press" },
        { type: "lift" },
        { type: "tick" },
        { type: "detached" },
        { type: "link", state: one(["up", "up", "up", "down", "no_media_path"]) },
        { type: "group", group: one([GROUP, GROUP, "g2", null]), yours: one(["none", "queued", "granted"]) },
        { type: "granted", id, group, burst, durationMs: one([1, 30_000]), fromQueue: chance() < 0.5 },
        { type: "deny", id, group, cause: 1, code: "floor_taken", retryAfterMs: one([null, 0, 500]) },
        { type: "queued", group, position: 1, size: 1 },
        { type: "revoke", group, burst: one([burst, 0]), cause: 4, graceMs: one([0, 1000]) },
        { type: "idle", group, burst },
        { type: "answered", id: one([phone.release(), "x"]) },
        { type: "refused", id: id ?? "x", code: "internal", retryAfterMs: null },
      ]);
      phone.effects = phone.effects.slice(-20);
      phone.feed(input);
      phone.run(one([0, 10, 100, 1000]));
      const { phase, microphone } = phone.state;
      const mayBeOn =
        ["pending_request", "has_permission"].includes(phase.name) && phone.state.link !== "down";
      if (microphone.name === "on" && !mayBeOn) throw new Error(`open without a reason at step ${step}`);
      const due = deadline(phone.state);
      if (due !== null && due <= phone.now) throw new Error(`a deadline in the past at step ${step}`);
    }
  });
});
