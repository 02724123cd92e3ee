// One person: how he stands, where he was, and what a dispatcher can do with him.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { talkBanned } from "../../account/people";
import type { ConsoleDesk } from "../../console/desk";
import { known, t } from "../../i18n";
import { agoWords } from "../../i18n/moments";
import type { Place } from "../../map/places";
import { present, standing } from "../../people/presence";
import { Icon } from "../../ui/icons";
import { Twice } from "../../ui/Twice";
import { now } from "./now";

type PersonCardProps = {
  desk: ConsoleDesk;
  user: string;
  name?: string;
  place?: Place | undefined;
};

export function PersonCard({ desk, user, name, place }: PersonCardProps) {
  const here = present.value.get(user) ?? null;
  const banned = useBan(desk, user);
  return (
    <section class="person-card" data-user={user} data-standing={standing(here)}>
      <header>
        <span class="dot" />
        <strong>{here?.name ?? place?.name ?? name ?? ""}</strong>
        <span class="badge">{here?.badge}</span>
        <button
          type="button"
          class="quiet"
          aria-label={t("close")}
          onClick={() => (desk.person.value = null)}
        >
          ✕
        </button>
      </header>
      <p class="soft">
        <Stand desk={desk} user={user} />
      </p>
      {place && <Where place={place} />}
      <PersonActs desk={desk} user={user} banned={banned} />
    </section>
  );
}

/** What the server knows, asked when the card is opened; until then, and where it cannot be asked, he is taken as free. */
function useBan(desk: ConsoleDesk, user: string): boolean {
  const banned = useSignal(false);
  const asks = desk.phone.picture.value.rights.includes("ban");
  useEffect(() => {
    let gone = false;
    banned.value = false;
    if (asks)
      void talkBanned(user).then(
        (found) => {
          if (!gone) banned.value = found;
        },
        () => undefined,
      );
    return () => {
      gone = true;
    };
  }, [user, asks, banned]);
  return banned.value;
}

/** "online · listening · 滨江巡查组". */
export function Stand({ desk, user }: { desk: ConsoleDesk; user: string }) {
  const here = present.value.get(user);
  if (!here) return <>{t("person_offline")}</>;
  const group = desk.channels.value.find(({ id }) => id === (here.talking_in ?? here.group))?.name;
  const words = [
    here.emergency ? t("person_emergency") : "",
    here.talking_in ? t("person_talking") : here.busy ? t("person_busy") : "",
    !here.online ? t("person_offline") : here.listening ? t("person_listening") : notListening(here.reason),
    group ?? "",
    here.on_duty ? t("person_on_duty") : "",
  ];
  return <>{words.filter(Boolean).join(" · ")}</>;
}

function notListening(reason: string | null): string {
  return reason === null ? t("person_deaf") : known(`deaf_${reason}`, "person_deaf");
}

function Where({ place }: { place: Place }) {
  const { longitude, latitude, accuracy_m, source, datum } = place.position;
  return (
    <p class="where">
      {t("place_line", { lon: longitude.toFixed(5), lat: latitude.toFixed(5) })}
      {accuracy_m !== null && ` ±${Math.round(accuracy_m)} m`}
      {datum !== "WGS-84" && ` ${datum}`}
      <br />
      {agoWords(now.value - place.seen_ms)} · {t(`source_${source}`)}
      {place.battery !== null && ` · ${t("place_battery", { percent: place.battery })}`}
    </p>
  );
}

export function PersonActs({ desk, user, banned }: { desk: ConsoleDesk; user: string; banned: boolean }) {
  const { rights, user: me } = desk.phone.picture.value;
  const ban = useSignal<boolean | null>(null);
  const may = (right: string) => rights.includes(right);
  const barred = ban.value ?? banned;
  const running = Object.values(desk.phone.affairs.value.calls).find(({ kind }) => kind === "group");
  if (user === me?.id) return null;
  return (
    <div class="person-acts">
      {may("private_call") && (
        <>
          <button type="button" class="primary" data-act="person_call" onClick={() => desk.call(user, {})}>
            <Icon.mic /> {t("person_call")}
          </button>
          <button
            type="button"
            data-act="person_ring"
            onClick={() => desk.call(user, { answering: "manual" })}
          >
            {t("person_ring")}
          </button>
          <button
            type="button"
            data-act="person_duplex"
            onClick={() => desk.call(user, { answering: "manual", duplex: true })}
          >
            {t("person_duplex")}
          </button>
        </>
      )}
      {may("text") && (
        <>
          <button type="button" data-act="person_text" onClick={() => desk.write({ user })}>
            {t("person_text")}
          </button>
          <button type="button" data-act="person_call_back" onClick={() => desk.callBack(user)}>
            {t("person_call_back")}
          </button>
        </>
      )}
      {may("pull_in") && (
        <button type="button" data-act="person_pull" onClick={() => desk.pullIn(user)}>
          {running ? t("person_pull_in") : t("person_pull")}
        </button>
      )}
      {may("remote_listening") && (
        <Twice
          class="danger"
          act="person_listen"
          title={t("person_listen")}
          question={t("person_listen_sure")}
          run={() => desk.listenRemotely(user)}
        />
      )}
      {may("ban") && (
        <button
          type="button"
          class="danger"
          data-act="person_ban"
          aria-pressed={barred}
          onClick={() => {
            desk.ask({ type: "talk_ban", user, banned: !barred }, () => {
              ban.value = !barred;
            });
          }}
        >
          {barred ? t("admin_unban") : t("admin_ban")}
        </button>
      )}
    </div>
  );
}
