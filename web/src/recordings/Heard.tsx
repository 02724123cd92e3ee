// What an officer did not hear, beside the talk button: what was said while he was away, and the start of what is on air.

import { untracked, useComputed, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Phone } from "../phone/phone";
import { catchingUp } from "./fromStart";
import { Missed } from "./Missed";
import { MissedVoice } from "./missed";
import { FromStart } from "./Replay";
import { player } from "./recordings";

export function Heard({ phone }: { phone: Phone }) {
  const user = useComputed(() => phone.picture.value.user?.id ?? null).value;
  return user ? <Of key={user} phone={phone} user={user} /> : null;
}

function Of({ phone, user }: { phone: Phone; user: string }) {
  const missed = useMemo(() => new MissedVoice(user), [user]);
  useSignalEffect(() => {
    const span = phone.missed.value;
    if (span) untracked(() => missed.told(span));
  });
  useSignalEffect(() => {
    const { held, phase } = phone.floorState.value;
    const talking = held || phase.name !== "has_no_permission";
    const live = phone.picture.value.slots.length > 0;
    untracked(() => player.surroundings({ talking, live }));
  });
  useSignalEffect(() => {
    const group = catchingUp.value;
    untracked(() => phone.setMix((of) => ({ gain: of === group ? 0 : 1, pan: 0 })));
  });
  const group = phone.picture.value.selected;
  const floor = group ? phone.picture.value.floors[group] : undefined;
  const late = group ? phone.picture.value.late[group] : undefined;
  const burst = floor?.state !== "idle" && floor?.burst === late ? late : undefined;
  const onAir = () => {
    const now = group ? phone.picture.peek().floors[group] : undefined;
    return now?.state !== "idle" && now?.burst === late;
  };
  return (
    <>
      {group && late !== undefined && (burst !== undefined || catchingUp.value === group) && (
        <FromStart group={group} burst={late} onAir={onAir} />
      )}
      <Missed missed={missed} />
    </>
  );
}
