// The strip below the wall: channels marked to be talked into together or joined, and the patches that are open.

import type { ConsoleDesk } from "../../console/desk";
import { gatheredNobody } from "../../console/gathering";
import { t } from "../../i18n";
import { Icon } from "../../ui/icons";
import type { Patched } from "../../wire/protocol";

export function Together({ desk }: { desk: ConsoleDesk }) {
  const { rights, user } = desk.phone.picture.value;
  const marked = desk.targets.value;
  const patches = Object.values(desk.dispatch.value.patches);
  if (marked.length === 0 && patches.length === 0) return null;
  return (
    <div class="together">
      {marked.length > 0 && (
        <p data-kind="marked">
          <span>
            <strong>{t("console_marked", { count: marked.length })}</strong>{" "}
            {marked.map(({ name }) => name).join("、")}
          </span>
          {rights.includes("patch") && marked.length > 1 && (
            <button type="button" class="primary" onClick={() => desk.patch()}>
              <Icon.link /> {t("console_patch")}
            </button>
          )}
          {rights.includes("group_making") && (
            <button type="button" onClick={() => desk.gather({ ...gatheredNobody, groups: marked })}>
              <Icon.people /> {t("temporary_merge")}
            </button>
          )}
          <button type="button" onClick={() => (desk.marked.value = [])}>
            {t("key_clear_targets")}
          </button>
        </p>
      )}
      {patches.map((patch) => (
        <p key={patch.patch} data-kind="patch">
          <span>
            <Icon.link />{" "}
            <strong>{patch.name === joined(patch) || !patch.name ? t("console_patched") : patch.name}</strong>{" "}
            {joined(patch)} · {patch.by.id === user?.id ? t("me") : patch.by.name}
          </span>
          {rights.includes("patch") && (
            <button type="button" onClick={() => desk.ask({ type: "patch_end", patch: patch.patch })}>
              {t("console_unpatch")}
            </button>
          )}
        </p>
      ))}
    </div>
  );
}

/** "A + B": also the name of a patch that was given none. */
function joined(patch: Patched): string {
  return patch.groups.map(({ name }) => name).join(" + ");
}
