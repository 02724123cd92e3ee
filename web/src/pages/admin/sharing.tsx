// Groups shared between agencies: what stands on either side, offered, agreed, ended.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import { momentWords } from "../../i18n/moments";
import type { Key } from "../../i18n/zh";
import { Chips, Finder, type Found } from "./Finder";
import { agency, wordsOf } from "./office";
import { Sure } from "./Sure";

type Share = {
  group: string;
  group_name: string;
  owner: string;
  owner_name: string;
  agency: string;
  agency_name: string;
  offered_ms: number;
  offered_by: string | null;
  granted_ms: number | null;
  granted_by: string | null;
  guests: number;
};

export function Sharing() {
  const shares = useSignal<readonly Share[] | null>(null);
  const word = useSignal("");
  const read = async () => {
    shares.value = await authorised<Share[]>("GET", "/shares");
  };
  const ask = async (method: string, path: string) => {
    try {
      await authorised(method, path);
      word.value = "";
      await read();
      return true;
    } catch (problem) {
      word.value = wordsOf(problem);
      return false;
    }
  };
  useEffect(() => void read().catch((problem) => (word.value = wordsOf(problem))), []);
  const own = agency.value?.id;
  const theirs = shares.value?.filter(({ owner }) => owner !== own) ?? [];
  const ours = shares.value?.filter(({ owner }) => owner === own) ?? [];
  return (
    <div class="sharing">
      <p class="hint">{t("admin_sharing_hint")}</p>
      <p class="word" role="status">
        {word.value}
      </p>
      <div class="sides">
        <List title="admin_offered_to_us" shares={theirs} ask={ask} />
        <List title="admin_offered_by_us" shares={ours} ask={ask} />
      </div>
      <div class="sides">
        <OwnCode />
        <Offer offer={(group, to) => ask("PUT", `/groups/${group}/shares/${encodeURIComponent(to)}`)} />
      </div>
    </div>
  );
}

/** Whether it was done; why not is said above the lists. */
type Ask = (method: string, path: string) => Promise<boolean>;

function List({ title, shares, ask }: { title: Key; shares: readonly Share[]; ask: Ask }) {
  return (
    <section>
      <h2>{t(title)}</h2>
      {shares.length === 0 && <p class="hint">{t("admin_no_shares")}</p>}
      <ul class="cards">
        {shares.map((share) => (
          <li key={`${share.group}/${share.agency}`} class="share">
            <Card share={share} ask={ask} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Card({ share, ask }: { share: Share; ask: Ask }) {
  const ours = share.owner === agency.value?.id;
  const granted = share.granted_ms !== null;
  const path = ours ? `/groups/${share.group}/shares/${share.agency}` : `/shares/${share.group}`;
  const end: Key = granted ? "admin_end_share" : ours ? "admin_take_back" : "admin_decline";
  return (
    <>
      <h3>{share.group_name}</h3>
      <Side done words={t("admin_side_offers", { agency: share.owner_name })}>
        {whenWhom(share.offered_ms, share.offered_by)}
      </Side>
      <Side
        done={granted}
        words={t(granted ? "admin_side_grants" : "admin_side_waits", { agency: share.agency_name })}
      >
        {share.granted_ms !== null && whenWhom(share.granted_ms, share.granted_by)}
      </Side>
      {granted && (
        <p class="soft">{t(ours ? "admin_guests" : "admin_our_guests", { count: share.guests })}</p>
      )}
      <div class="row">
        {!ours && !granted && (
          <button
            type="button"
            class="primary"
            onClick={() => void ask("POST", `/shares/${share.group}/grant`)}
          >
            {t("admin_agree")}
          </button>
        )}
        <Sure title={t(end)} run={() => ask("DELETE", path)} />
      </div>
    </>
  );
}

function Side({ done, words, children }: { done: boolean; words: string; children: string | false }) {
  return (
    <p class="side" data-done={done}>
      <span class="mark" aria-hidden="true">
        {done ? "✓" : "…"}
      </span>
      <span>
        {words}
        {children && <span class="soft"> {children}</span>}
      </span>
    </p>
  );
}

function whenWhom(ms: number, name: string | null): string {
  return name === null ? momentWords(ms) : t("admin_by_whom", { when: momentWords(ms), name });
}

function OwnCode() {
  const word = useSignal("");
  const code = agency.value?.id ?? "";
  return (
    <section>
      <h2>{t("admin_own_code")}</h2>
      <p class="row">
        <input class="link" readonly value={code} aria-label={t("admin_own_code")} />
        <button
          type="button"
          onClick={() =>
            void navigator.clipboard?.writeText(code).then(() => {
              word.value = t("admin_copied");
            })
          }
        >
          {t("admin_copy")}
        </button>
      </p>
      <p class="hint">{t("admin_own_code_hint")}</p>
      <span role="status">{word.value}</span>
    </section>
  );
}

function Offer({ offer }: { offer: (group: string, to: string) => Promise<boolean> }) {
  const group = useSignal<Found | null>(null);
  const to = useSignal("");
  return (
    <section>
      <h2>{t("admin_offer")}</h2>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (group.value === null) return;
          void offer(group.value.id, to.value.trim()).then((done) => {
            if (!done) return; // what was entered stays, to be put right
            group.value = null;
            to.value = "";
          });
        }}
      >
        <div class="field">
          <label for="offer-group">{t("admin_offer_group")}</label>
          {group.value ? (
            <Chips
              of={[group.value]}
              remove={() => {
                group.value = null;
              }}
            />
          ) : (
            <Finder
              id="offer-group"
              path="/groups"
              words="admin_search_groups"
              inside={[]}
              choose={({ id, name }) => {
                group.value = { id, name };
              }}
            />
          )}
        </div>
        <div class="field">
          <label for="offer-to">{t("admin_other_code")}</label>
          <input
            id="offer-to"
            name="agency"
            required
            maxLength={64}
            autocomplete="off"
            value={to.value}
            onInput={(event) => {
              to.value = event.currentTarget.value;
            }}
          />
        </div>
        <button type="submit" class="primary" disabled={group.value === null || !to.value.trim()}>
          {t("admin_offer")}
        </button>
      </form>
    </section>
  );
}
