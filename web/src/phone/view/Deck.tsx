// What lies beside the talk button: groups, messages, contacts, recordings, one at a time.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../../i18n";
import { RecordingList } from "../../recordings/Replay";
import { nameOf, ThreadList, Unread } from "../../texts/ThreadList";
import { ThreadView } from "../../texts/ThreadView";
import { empty, keyOf, type Where } from "../../texts/threads";
import { lastEnded } from "../../wire/picture";
import type { Phone } from "../phone";
import { GroupList } from "./Groups";
import { People } from "./People";
import "./deck.css";

const SHEETS = ["groups", "messages", "contacts", "recordings"] as const;
type Sheet = (typeof SHEETS)[number];

type DeckProps = {
  phone: Phone;
  /** A group was chosen, and who came for that is done. */
  onChosen?: () => void;
  /** What stands below the groups. */
  children?: ComponentChildren;
};

export function Deck({ phone, onChosen, children }: DeckProps) {
  const sheet = useSignal<Sheet>("groups");
  const thread = useSignal<{ where: Where; name: string } | null>(null);
  const { rights } = phone.picture.value;
  const shown = SHEETS.filter(
    (one) =>
      (one !== "contacts" || rights.includes("private_call")) &&
      (one !== "messages" || rights.includes("text")),
  );
  const write = (where: Where, name = "") => {
    thread.value = { where, name };
    sheet.value = "messages";
  };
  return (
    <div class="deck">
      <div class="sheets" role="tablist">
        {shown.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={sheet.value === one}
            onClick={() => (sheet.value = one)}
          >
            {t(`deck_${one}`)}
            {one === "messages" && <Unread count={phone.texts.unread.value} />}
          </button>
        ))}
      </div>
      <div class="sheet-body" role="tabpanel">
        {sheet.value === "groups" && (
          <>
            <GroupList
              phone={phone}
              {...(onChosen ? { onChosen } : {})}
              onWrite={(group) => write({ group })}
            />
            {children}
          </>
        )}
        {sheet.value === "messages" && (
          <Messages phone={phone} thread={thread.value} onOpen={write} onBack={() => (thread.value = null)} />
        )}
        {sheet.value === "contacts" && <People phone={phone} onWrite={write} onCalled={onChosen} />}
        {sheet.value === "recordings" && <Recordings phone={phone} />}
      </div>
    </div>
  );
}

type MessagesProps = {
  phone: Phone;
  thread: { where: Where; name: string } | null;
  onOpen: (where: Where) => void;
  onBack: () => void;
};

function Messages({ phone, thread, onOpen, onBack }: MessagesProps) {
  if (!thread) return <ThreadList phone={phone} texts={phone.texts} onOpen={onOpen} />;
  const { where, name } = thread;
  const known = nameOf(phone, phone.texts.threads.value[keyOf(where)] ?? empty(where));
  return (
    <ThreadView
      key={keyOf(where)}
      phone={phone}
      texts={phone.texts}
      where={where}
      name={known || name}
      onBack={onBack}
    />
  );
}

function Recordings({ phone }: { phone: Phone }) {
  const group = phone.group.value;
  if (!group) return <p class="hint">{t("no_recordings")}</p>;
  const after = lastEnded(phone.picture.value.floors[group.id]);
  return (
    <>
      <a class="button" href={`/recordings?group=${encodeURIComponent(group.id)}`}>
        {t("archive_all")}
      </a>
      <RecordingList key={group.id} group={group.id} after={after} />
    </>
  );
}
