// Shown to one who was taken out of what he talked in: where he is no longer, and where the next press goes.

import { listed, t } from "../../i18n";
import type { Left } from "../leftGroup";
import type { Phone } from "../phone";
import "./switched.css";

/** `keys`: each talk key of this page goes by its place on a wall, which moves with any group that is gone. */
export function LeftGroup({ phone, keys = false }: { phone: Phone; keys?: boolean }) {
  const { left } = phone.choice;
  const notice = left.notice.value;
  if (!notice || !(notice.here || keys)) return null;
  if (notice.why === "case" && !notice.warned) return null;
  const into = phone.brought.value;
  const group = phone.group.value?.name;
  // What one was brought into needs no confirming.
  const asks = keys || (group && !into);
  return (
    <p class="switched left" role="alert">
      <span>
        {out(notice)} {asks && next(notice, group ?? "", keys, phone.key.waits.value)}
      </span>
      <button type="button" class="back" onClick={() => left.seen()}>
        {t("close")}
      </button>
    </p>
  );
}

function out({ why, names }: Left): string {
  if (why === "group") return t("left_group", { name: listed(names) });
  return why === "call" ? t("left_call") : "";
}

/** `waits`: the key is still down. */
function next({ warned }: Left, group: string, keys: boolean, waits: boolean): string {
  if (keys) return t(warned ? "left_again_keys" : "left_confirm_keys");
  if (!warned) return t("left_confirm", { group });
  return t(waits ? "left_hold_on" : "left_again", { group });
}
