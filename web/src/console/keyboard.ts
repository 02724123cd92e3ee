// Carries out what the keys of the console mean. Keys that type stay with whoever types.

import { sayAgain } from "../recordings/recordings";
import { lastEnded } from "../wire/picture";
import type { ConsoleDesk, Dialog } from "./desk";
import { patchOf, waiting } from "./dispatch";
import { type Act, BESIDE_A_DIALOG, LAST_S, meaning, PERSON_ACTS } from "./keymap";
import { withMute, withNextEar, withSolo } from "./mix";

const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";

/** Listens until the returned function is called. */
export function bindKeys(desk: ConsoleDesk): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener("keydown", (event) => down(desk, event), { signal });
  addEventListener("keyup", (event) => desk.release(event.code), { signal });
  // Also where the card whose key was held is gone: a call that ends takes it from under the finger.
  for (const ends of ["pointerup", "pointercancel", "lostpointercapture"] as const)
    addEventListener(ends, ({ pointerId }) => desk.release(pointerId), { signal });
  addEventListener("blur", () => desk.drop(), { signal });
  // A button that was clicked must not keep the space bar: only one that was walked to by the Tab key does.
  addEventListener("click", (event) => event.detail > 0 && letGo(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden && desk.drop(), { signal });
  return () => stop.abort();
}

const REPEATED: ReadonlySet<Act> = new Set([
  "quieter",
  "louder",
  "previous",
  "next",
  "above",
  "below",
  "previous_person",
  "next_person",
]);

function down(desk: ConsoleDesk, event: KeyboardEvent): void {
  const meant = meaning(event);
  if (!meant || event.isComposing) return;
  const { act } = meant.binding;
  if (act !== "escape" && !forConsole(event.target, event.code)) return;
  if (desk.dialog.value !== null && !BESIDE_A_DIALOG.has(act)) return;
  event.preventDefault();
  if (event.repeat && !REPEATED.has(act)) return;
  if (act === "talk") return desk.talkHere(event.code, event.timeStamp);
  const channel = meant.channel === null ? null : (desk.numbered.value[meant.channel] ?? null);
  if (act === "talk_channel") return desk.talk(event.code, channel ? [channel] : [], event.timeStamp);
  if (act === "choose_channel") return channel ? desk.choose(channel.id) : undefined;
  DEEDS[act]?.(desk);
}

function letGo(): void {
  const focused = document.activeElement;
  if (
    focused instanceof HTMLButtonElement ||
    (focused instanceof HTMLInputElement && focused.type === "range")
  ) {
    focused.blur();
  }
}

/** Not while somebody types, nor where Space or Enter would press the button a person walked to by the Tab key. */
function forConsole(target: EventTarget | null, code: string): boolean {
  if (!(target instanceof Element)) return true;
  if (target.closest(TYPING)) return false;
  if (code !== "Space" && code !== "Enter") return true;
  return !(target.closest("button, a, [role=option]") && target.matches(":focus-visible"));
}

const DEEDS: Partial<Record<Act, (desk: ConsoleDesk) => unknown>> = {
  previous: (desk) => desk.step(-1),
  next: (desk) => desk.step(1),
  above: (desk) => desk.stepRow(-columns()),
  below: (desk) => desk.stepRow(columns()),
  next_on_air: (desk) => desk.stepOnAir(),
  find_channel: (desk) => toggle(desk, "find"),
  listen: (desk) => withCurrent(desk, (id) => desk.toggleListening(id)),
  mute: (desk) => withCurrent(desk, (id) => (desk.sound.value = withMute(desk.sound.value, id))),
  solo: (desk) => withCurrent(desk, (id) => (desk.sound.value = withSolo(desk.sound.value, id))),
  ear: (desk) => withCurrent(desk, (id) => (desk.sound.value = withNextEar(desk.sound.value, id))),
  quieter: (desk) => withCurrent(desk, (id) => desk.louder(id, -1)),
  louder: (desk) => withCurrent(desk, (id) => desk.louder(id, 1)),
  last_30s: (desk) =>
    withCurrent(desk, (id) => {
      const ended = lastEnded(desk.phone.picture.peek().floors[id]);
      void sayAgain(id, { seconds: LAST_S, ended });
    }),
  revoke: (desk) => withCurrent(desk, (group) => desk.ask({ type: "floor_revoke_request", group })),
  claim: (desk) => {
    const first = desk.phone.alerts.value.find(({ alert, queue }) => queue && alert.state === "raised");
    if (first) desk.ask({ type: "alert_claim", alert: first.alert.id });
  },
  accept: (desk) => {
    const [first] = desk.phone.affairs.value.ringing;
    if (first) desk.ask({ type: "call_accept", call: first.call });
  },
  hang_up: (desk) => {
    const { ringing, brought } = desk.phone.affairs.value;
    const running = brought.find(({ why }) => why === "call");
    if (ringing[0]) desk.ask({ type: "call_refuse", call: ringing[0].call });
    else if (running) desk.ask({ type: "call_leave", call: running.call });
  },
  search: (desk) => {
    desk.open("people");
    desk.searching.value = true;
  },
  people: (desk) => desk.open("people"),
  map: (desk) => desk.open("map"),
  messages: (desk) => desk.open("messages"),
  incidents: (desk) => desk.open("incidents"),
  widen: (desk) => {
    desk.wide.value = !desk.wide.value;
  },
  dense: (desk) => desk.toggleDense(),
  target: (desk) => withCurrent(desk, (id) => desk.mark(id)),
  clear_targets: (desk) => {
    desk.marked.value = [];
  },
  temporary: (desk) => desk.gather(desk.chosenAll()),
  patch: (desk) => desk.patch(),
  unpatch: (desk) =>
    withCurrent(desk, (group) => {
      const found = patchOf(desk.dispatch.value, group);
      if (found) desk.ask({ type: "patch_end", patch: found.patch });
    }),
  calls: (desk) => desk.may("force_end") && toggle(desk, "calls"),
  force_end: (desk) => desk.current.value && desk.endCall(desk.current.value),
  previous_person: (desk) => desk.stepPerson(-1),
  next_person: (desk) => desk.stepPerson(1),
  ...Object.fromEntries(PERSON_ACTS.map((act) => [act, () => pressed(act)])),
  write: (desk) => withCurrent(desk, (group) => desk.write({ group })),
  take_over: (desk) => {
    const { toMe } = waiting(desk.dispatch.value, desk.phone.picture.value.user?.id);
    if (toMe) desk.ask({ type: "handover_answer", handover: toMe.id, accept: true });
  },
  monitor: (desk) => toggle(desk, "monitor"),
  handover: (desk) => toggle(desk, "handover"),
  help: (desk) => toggle(desk, "help"),
  escape: (desk) => {
    desk.dialog.value = null;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  },
};

/** How many channels stand beside each other on the wall. */
function columns(): number {
  const wall = document.querySelector(".wall .channels");
  return wall ? getComputedStyle(wall).gridTemplateColumns.split(" ").length : 1;
}

/** The button that does it, where there is one: what may be done is decided there. */
function pressed(act: Act): void {
  document.querySelector<HTMLButtonElement>(`.dock [data-act="${act}"]`)?.click();
}

function toggle(desk: ConsoleDesk, dialog: Dialog): void {
  desk.dialog.value = desk.dialog.value === dialog ? null : dialog;
}

function withCurrent(desk: ConsoleDesk, work: (group: string) => unknown): void {
  const group = desk.current.value?.id;
  if (group) work(group);
}
