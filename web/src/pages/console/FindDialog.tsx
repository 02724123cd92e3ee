// A channel of a long wall, found by its name: typed, and the first that is found chosen by Enter.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { groupsFound } from "../../console/groups";
import { type Channel, named } from "../../console/wall";
import { t } from "../../i18n";
import { Modal } from "./Modal";

/** As many are listed; a longer word finds fewer. */
const LISTED = 10;
/** Typing goes on for so long before the server is asked. */
const SETTLED_MS = 60;
/** What may be pinyin. */
const LETTERS = /^[a-z0-9' ]+$/i;

export function FindDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="find" title={t("find_channel")}>
      <Search desk={desk} />
    </Modal>
  );
}

function Search({ desk }: { desk: ConsoleDesk }) {
  const word = useSignal("");
  const { groups, settled } = useSounding(word.value.trim());
  const found = named(desk.channels.value, word.value, groups).slice(0, LISTED);
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
        choose(found[0]);
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
      {word.value.trim() && settled && found.length === 0 && (
        <p class="hint" role="status">
          {t("find_channel_none")}
        </p>
      )}
    </form>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** The groups whose names sound like the word, and whether that is known by now. Those of a word typed before are no answer. */
function useSounding(word: string): { groups: ReadonlySet<string>; settled: boolean } {
  const found = useSignal({ word: "", groups: NONE });
  useEffect(() => {
    if (!LETTERS.test(word)) return;
    let wanted = true;
    const ask = () =>
      void groupsFound(word).then(
        (groups) => {
          if (wanted) found.value = { word, groups };
        },
        () => {
          if (wanted) found.value = { word, groups: NONE };
        },
      );
    const timer = window.setTimeout(ask, SETTLED_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [word, found]);
  if (!LETTERS.test(word)) return { groups: NONE, settled: true };
  const settled = found.value.word === word;
  return { groups: settled ? found.value.groups : NONE, settled };
}
