// One incident on the console: who is on it and what they said they do, its groups, its timeline; and what is done by hand.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { t } from "../../i18n";
import { briefWords, secondsWords } from "../../i18n/moments";
import type { Key } from "../../i18n/zh";
import { player, type Recording, recent, soundOf } from "../../recordings/recordings";
import { Unheard } from "../../recordings/Unheard";
import { Icon } from "../../ui/icons";
import { Lamp } from "../Lamp";
import { type Case, type CaseEvent, crew, events, link, logLink, namedIn, one, tie, unlink } from "./cases";
import { News } from "./News";
import { Written } from "./Written";
import { parties, stateKey, Tags, wordsOf } from "./words";

/** Bursts of a linked group come without a message of their own. */
const AGAIN_MS = 5000;
const RECENT = 12;

type Props = { desk: ConsoleDesk; code: string; turn: number; close: () => void };

export function IncidentDetail({ desk, code, turn, close }: Props) {
  const found = useSignal<Case | null>(null);
  const told = useSignal<readonly CaseEvent[]>([]);
  const problem = useSignal("");
  const read = async () => {
    try {
      [found.value, told.value] = await Promise.all([one(code), events(code)]);
      problem.value = "";
    } catch (refused) {
      problem.value = wordsOf(refused);
    }
  };
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [code, turn]);
  const act = async (work: Promise<unknown>) => {
    try {
      await work;
      await read();
    } catch (refused) {
      problem.value = wordsOf(refused);
    }
  };
  const name = (user: string) => found.value?.names[user] ?? user;
  return (
    <article class="case-detail">
      <header>
        <button type="button" class="back" onClick={close} aria-label={t("cases_back")}>
          ‹
        </button>
        <h2>
          {found.value && <Tags found={found.value} />}
          {found.value?.facts.name ?? code}
        </h2>
      </header>
      {problem.value && <p class="problem">{problem.value}</p>}
      {found.value && (
        <>
          <Facts found={found.value} act={act} />
          <Crew found={found.value} />
        </>
      )}
      <h3>{t("cases_timeline")}</h3>
      {told.value.length === 0 && <p class="none">{t("cases_nothing")}</p>}
      <ol class="timeline">
        {[...told.value].reverse().map((event) => (
          <Told key={event.id} event={event} name={name} />
        ))}
      </ol>
      {(told.value[0]?.sequence ?? 1) > 1 && <p class="none">{t("cases_earlier")}</p>}
      {found.value && <Groups desk={desk} found={found.value} act={act} />}
      <Written key={code} code={code} />
      <News key={code} code={code} act={act} />
    </article>
  );
}

function Facts({ found, act }: { found: Case; act: (work: Promise<unknown>) => Promise<void> }) {
  const show = async () => {
    // Opened at once, or the browser takes it for a pop-up.
    const page = window.open("about:blank", "_blank");
    try {
      const { url } = await logLink(found.code);
      if (page) page.location.href = url;
    } catch (refused) {
      page?.close();
      throw refused;
    }
  };
  return (
    <section class="facts">
      <p>
        <Lamp lamp={found.lamp} />
        <b>{t(stateKey(found))}</b>
        <span class="soft">{found.code}</span>
      </p>
      {found.facts.address && <p>{found.facts.address}</p>}
      {found.facts.description && <p class="soft">{found.facts.description}</p>}
      <p class="soft">
        {t("cases_presence", {
          members: found.members.length,
          online: found.online,
          listening: found.listening,
        })}
      </p>
      <button type="button" class="log" onClick={() => void act(show())}>
        {t("cases_log")}
      </button>
    </section>
  );
}

function Crew({ found }: { found: Case }) {
  return (
    <section>
      <h3>{t("cases_members")}</h3>
      <ul class="crew">
        {crew(found).map(({ id, name, tap }) => (
          <li key={id} data-tap={tap ?? "none"}>
            <span>{name}</span>
            <span class="tap">{tap ? t(`tapped_${tap}`) : t("tapped_none")}</span>
          </li>
        ))}
      </ul>
      {found.unknown.length > 0 && (
        <p class="problem">{t("cases_unknown", { who: parties(found.unknown) })}</p>
      )}
      {found.empty.length > 0 && <p class="problem">{t("cases_empty", { who: parties(found.empty) })}</p>}
    </section>
  );
}

type ActProps = { desk: ConsoleDesk; found: Case; act: (work: Promise<unknown>) => Promise<void> };

/** Groups that belong to the case by hand, and what was said elsewhere and belongs to it. */
function Groups({ desk, found, act }: ActProps) {
  const chosen = useSignal("");
  const said = useSignal<readonly Recording[] | null>(null);
  const groups = desk.channels.value.filter(({ kind }) => kind !== "incident" && kind !== "private");
  const nameOf = (id: string) => groups.find((group) => group.id === id)?.name ?? id;
  const choose = async (group: string) => {
    chosen.value = group;
    said.value = null;
    if (group) await act(recent(group, RECENT).then((heard) => (said.value = heard)));
  };
  return (
    <section class="groups">
      <h3>{t("cases_groups")}</h3>
      <ul class="links">
        {found.links.map((id) => (
          <li key={id}>
            <span>{nameOf(id)}</span>
            <button type="button" class="quiet" onClick={() => void act(unlink(found.code, id))}>
              {t("cases_unlink")}
            </button>
          </li>
        ))}
      </ul>
      <div class="cases-tools">
        <select
          aria-label={t("cases_choose_group")}
          value={chosen.value}
          onChange={(event) => void choose(event.currentTarget.value)}
        >
          <option value="">{t("cases_choose_group")}</option>
          {groups.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        <button
          type="button"
          disabled={!chosen.value || found.links.includes(chosen.value)}
          onClick={() => void act(link(found.code, chosen.value))}
        >
          {t("cases_link")}
        </button>
      </div>
      {said.value?.length === 0 && <p class="none">{t("cases_nothing")}</p>}
      <ul class="said">
        {said.value?.map((burst) => (
          <li key={burst.id}>
            <Play id={burst.id} ms={burst.duration_ms} />
            <span>
              {burst.talker.name} <time>{briefWords(burst.started_ms)}</time>
            </span>
            <button type="button" class="quiet" onClick={() => void act(tie(found.code, burst.id))}>
              {t("cases_tie")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Told({ event, name }: { event: CaseEvent; name: (user: string) => string }) {
  const who = namedIn(event, name);
  const ms = event.data.duration_ms;
  return (
    <li data-type={event.type}>
      <time>{briefWords(event.at_ms)}</time>
      <span>
        {t(`case_event_${event.type.replaceAll(".", "_")}` as Key)} {who && <b>{who}</b>}
      </span>
      {event.recording && <Play id={event.recording} ms={typeof ms === "number" ? ms : 0} />}
    </li>
  );
}

function Play({ id, ms }: { id: string; ms: number }) {
  const plays = player.playing.value === id;
  const press = () => (plays ? player.stop() : void player.play([soundOf({ id })]));
  return (
    <>
      <button type="button" class="play" aria-pressed={plays} aria-label={t("cases_play")} onClick={press}>
        {plays ? <Icon.stop /> : <Icon.play />}
        {secondsWords(ms)}
      </button>
      <Unheard of={id} />
    </>
  );
}
