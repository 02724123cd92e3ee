// A channel of a long wall, found by its name: typed, and the first that is found chosen by Enter.

import { useSignal } from "@preact/signals";
import type { ConsoleDesk } from "../../console/desk";
import { type Channel, named } from "../../console/wall";
import { t } from "../../i18n";
import { Modal } from "./Modal";

/** As many are listed; a longer word finds fewer. */
const LISTED = 10;

export function FindDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="find" title={t("find_channel")}>
      <Search desk={desk} />
    </Modal>
  );
}

function Search({ desk }: { desk: ConsoleDesk }) {
  const word = useSignal("");
  const found = named(desk.channels.value, word.value).slice(0, LISTED);
  const choose = (channel: Channel | undefined) => {
    if (!channel) return;
    desk.choose(channel.id);
    desk.dialog.value = null;
  };
  return (
    <form
      class="find"
      onSubmit={(event) => {
        event.preventDefault();
        choose(named(desk.channels.peek(), word.peek())[0]);
      }}
    >
      <input
        type="text"
        aria-label={t("find_channel_name")}
        placeholder={t("find_channel_name")}
        value={word.value}
        onInput={(event) => {
          word.value = event.currentTarget.value;
        }}
      />
      {found.length > 0 && (
        <ul class="choices">
          {found.map((channel) => (
            <li key={channel.id}>
              <button type="button" onClick={() => choose(channel)}>
                {channel.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      {word.value.trim() && found.length === 0 && (
        <p class="hint" role="status">
          {t("find_channel_none")}
        </p>
      )}
    </form>
  );
}
