// The incidents a phone holds as the server tells of them, and what their coming and going means for its groups.

import { type Signal, signal } from "@preact/signals";
import type { Request } from "../wire/link";
import type { Picture } from "../wire/picture";
import { firstGroup } from "../wire/picture";
import type { ServerMessage } from "../wire/protocol";
import { goesOnUnlisted, incidentsTold, leaving, noIncidents, SHOWN, withIncidentGroups } from "./incidents";

type Holder = {
  picture: Signal<Picture>;
  select: (group: string) => void;
  ask: (request: Request) => Promise<ServerMessage>;
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

  told(message: ServerMessage): void {
    const before = this.list.peek();
    const after = incidentsTold(before, message);
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
      if (next) this.phone.select(next.id);
    }
  }
}
