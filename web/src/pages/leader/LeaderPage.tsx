// The leader's page: to whom, then one hold — a two-way emergency call over whatever goes on — or a broadcast with receipts.

import { useSignal } from "@preact/signals";
import { current } from "../../account/account";
import { refusalWords, t } from "../../i18n";
import type { Phone } from "../../phone/phone";
import { Affairs } from "../../phone/view/Affairs";
import { ObstacleScreen } from "../../phone/view/ObstacleScreen";
import { Status } from "../../phone/view/Status";
import { TalkButton } from "../../phone/view/TalkButton";
import { TopBar } from "../../ui/TopBar";
import type { Request } from "../../wire/link";
import { RequestRefused } from "../../wire/link";
import type { BroadcastTally } from "../../wire/protocol";

type To = { groups?: string[]; everyone?: boolean };

export function LeaderPage({ phone }: { phone: Phone }) {
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const text = useSignal("");
  const word = useSignal("");
  const user = phone.picture.value.user ?? current();
  const to = (): To => (chosen.value.size ? { groups: [...chosen.value] } : { everyone: true });
  const ask = async (request: Request) => {
    try {
      const answer = await phone.ask(request);
      if (answer.type === "emergency_call_started") {
        word.value = t("leader_started", { online: answer.online, people: answer.people });
      } else if (answer.type === "broadcast_started") {
        word.value = t("leader_sent");
        text.value = "";
      }
    } catch (problem) {
      word.value = problem instanceof RequestRefused ? refusalWords(problem.code) : t("unreachable");
    }
  };
  const toggle = (group: string) => {
    const next = new Set(chosen.value);
    if (!next.delete(group)) next.add(group);
    chosen.value = next;
  };
  return (
    <div class="page leader" data-face={phone.face.value.name} data-tier={0}>
      <TopBar name={`${t("leader")} · ${user?.name ?? ""}`} badge={user?.badge} />
      <aside class="side">
        <h2>{t("leader_groups")}</h2>
        <ul class="targets">
          <li>
            <button
              type="button"
              aria-pressed={chosen.value.size === 0}
              onClick={() => (chosen.value = new Set())}
            >
              {t("leader_everyone")}
            </button>
          </li>
          {phone.picture.value.groups.map(({ id, name }) => (
            <li key={id}>
              <button type="button" aria-pressed={chosen.value.has(id)} onClick={() => toggle(id)}>
                {name}
              </button>
            </li>
          ))}
        </ul>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void ask({
              type: "broadcast_start",
              broadcast: `br-${crypto.randomUUID()}`,
              to: to(),
              kind: "text",
              text: text.value,
              acknowledge: true,
            });
          }}
        >
          <textarea
            rows={3}
            aria-label={t("leader_text")}
            placeholder={t("leader_text")}
            value={text.value}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
          <button type="submit" disabled={!text.value.trim()}>
            {t("leader_broadcast")}
          </button>
        </form>
        <ul class="tallies">
          {Object.values(phone.affairs.value.tallies).map((tally) => (
            <li key={tally.broadcast}>{t("leader_receipts", counts(tally))}</li>
          ))}
        </ul>
      </aside>
      <main class="front">
        <button
          type="button"
          class="emergency"
          onClick={() =>
            void ask({ type: "emergency_call", call: `ec-${crypto.randomUUID()}`, to: to(), tier: 2 })
          }
        >
          <strong>{t("leader_emergency")}</strong>
          <span>{t("leader_emergency_hint")}</span>
        </button>
        <p class="word" role="status">
          {word.value}
        </p>
        {phone.affairs.value.brought
          .filter(({ why, by }) => why === "emergency" && by?.id === user?.id)
          .map(({ call, group }) => (
            <button
              key={call}
              type="button"
              class="end"
              onClick={() => {
                void ask({ type: "emergency_cancel", group }).then(() => {
                  word.value = "";
                });
              }}
            >
              {t("leader_end")}
            </button>
          ))}
        <Status phone={phone} />
        <Affairs phone={phone} />
        <TalkButton phone={phone} />
      </main>
      <ObstacleScreen phone={phone} />
    </div>
  );
}

function counts({ delivered, heard, acknowledged, people }: BroadcastTally): Record<string, number> {
  return { delivered, heard, acknowledged, people };
}
