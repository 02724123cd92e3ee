// The incidents a phone holds as the server tells of them, and what their coming and going means for its groups.

import { type Signal, signal } from "@preact/signals";
import type { Request } from "../wire/link";
import type { Picture } from "../wire/picture";
import { firstGroup } from "../wire/picture";
import type { IncidentSummary, ServerMessage } from "../wire/protocol";
import {
  comesWithTone,
  goesOnUnlisted,
  incidentsTold,
  leaving,
  noIncidents,
  SHOWN,
  withIncidentGroups,
} from "./incidents";

type Holder = {
  picture: Signal<Picture>;
  /** By the person's own hand, and by what others did. */
  choice: { select: (group: string) => void; move: (group: string) => void };
  ask: (request: Request) => Promise<ServerMessage>;
  tone: (name: "incoming") => void;
};

export class HeldIncidents {
  readonly list = signal(noIncidents);

  constructor(private readonly phone: Holder) {}

  /** A new connection, in which `was`, selected before, may be gone and `next` be selected instead: the list is asked for. */
  welcomed(was: string | null, next: string): void {
    if (was && !this.phone.picture.peek().groups.some(({ id }) => id === was)) {
      const before = this.list.peek();
      this.list.value = { ...before, left: leaving(before, was, next) };
    }
    this.phone.ask({ type: "incident_list", limit: SHOWN }).then(
      (answer) => this.told(answer),
      () => undefined,
    );
  }

  /** One that was found beyond the list is in it from now on, and its group is selected. */
  open(incident: IncidentSummary): void {
    const { group } = incident;
    if (!group) return;
    if (this.list.peek().list.every(({ code }) => code !== incident.code))
      this.#take({ type: "incident_changed", incident, mine: true });
    this.phone.choice.select(group.id);
  }

  told(message: ServerMessage): void {
    if (comesWithTone(this.list.peek(), message)) this.phone.tone("incoming");
    this.#take(message);
  }

  #take(message: ServerMessage): void {
    const before = this.list.peek();
    const after = incidentsTold(before, message, this.phone.picture.peek().selected);
    if (after === before) return;
    this.list.value = after;
    const picture = this.phone.picture.peek();
    const here = picture.groups.find(({ id }) => id === picture.selected);
    const kept = here && goesOnUnlisted(before, here, message) ? here.id : null;
    const groups = withIncidentGroups(picture.groups, after, kept);
    this.phone.picture.value = { ...picture, groups };
    if (picture.selected && !groups.some(({ id }) => id === picture.selected)) {
      // The incident is over, or is no longer mine: back to where this phone came from.
      const next = firstGroup(groups, after.switched?.back ?? null);
      this.list.value = { ...after, left: leaving(before, picture.selected, next?.id ?? "", message) };
      if (next) this.phone.choice.move(next.id);
    }
  }
}
