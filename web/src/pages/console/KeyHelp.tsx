// The keys, drawn from the table they work by: a strip that is always there, and all of them on "?".

import type { ConsoleDesk } from "../../console/desk";
import { type Act, KEYS, type Section } from "../../console/keymap";
import { t } from "../../i18n";
import { Modal } from "./Modal";

const ALWAYS: readonly Act[] = [
  "talk",
  "talk_channel",
  "choose_channel",
  "mute",
  "solo",
  "ear",
  "last_30s",
  "search",
  "help",
];
const SECTIONS: readonly Section[] = ["keys_talk", "keys_hear", "keys_person", "keys_page"];

export function KeyStrip({ desk }: { desk: ConsoleDesk }) {
  return (
    <footer class="keys-strip">
      {ALWAYS.flatMap((act) => KEYS.filter((one) => one.act === act)).map((one) => (
        <span key={one.act}>
          <kbd>{cap(one.cap)}</kbd> {t(one.words)}
        </span>
      ))}
      <button type="button" class="quiet" onClick={() => (desk.dialog.value = "help")}>
        {t("keys_all")}
      </button>
    </footer>
  );
}

export function KeyHelp({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="help" title={t("keys_all")}>
      <div class="sections">
        {SECTIONS.map((section) => (
          <section key={section}>
            <h3>{t(section)}</h3>
            <dl>
              {KEYS.filter((one) => one.section === section).map((one) => (
                <div key={one.act}>
                  <dt>
                    <kbd>{cap(one.cap)}</kbd>
                  </dt>
                  <dd>{t(one.words)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="hint">{t("keys_hint")}</p>
    </Modal>
  );
}

function cap(of: string): string {
  return of === "Space" ? t("key_cap_space") : of;
}
