// A field that finds people or groups while one types, and hands over the one that is chosen.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { authorised } from "../../account/authorised";
import { t } from "../../i18n";
import type { Key } from "../../i18n/zh";

export type Found = { id: string; name: string; badge?: string };

const PAUSE_MS = 250;
const SHOWN = 8;

type FinderProps = {
  /** What is asked: `/people` or `/groups`. */
  path: string;
  words: Key;
  /** A unit in which, and below which, is looked; everywhere without it. */
  within?: string | undefined;
  /** Ids that are there already. */
  inside: readonly string[];
  choose: (found: Found) => void;
  id?: string;
};

export function Finder({ path, words, within, inside, choose, id }: FinderProps) {
  const q = useSignal("");
  const found = useSignal<readonly Found[]>([]);
  const others = useSignal(0);
  useEffect(() => {
    const text = q.value.trim();
    if (!text) {
      found.value = [];
      return;
    }
    let gone = false;
    const timer = window.setTimeout(
      () =>
        void authorised<{ items: Found[]; total: number }>(
          "GET",
          `${path}?limit=${SHOWN}&q=${encodeURIComponent(text)}${within ? `&unit=${within}` : ""}`,
        ).then(
          ({ items, total }) => {
            if (gone) return;
            found.value = items;
            others.value = total - items.length;
          },
          () => undefined,
        ),
      PAUSE_MS,
    );
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [q.value]);
  return (
    <div class="finder">
      <input
        id={id}
        type="search"
        placeholder={t(words)}
        aria-label={t(words)}
        value={q.value}
        onInput={(event) => {
          q.value = event.currentTarget.value;
        }}
      />
      {found.value.length > 0 && (
        <ul class="found">
          {found.value.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                disabled={inside.includes(each.id)}
                onClick={() => {
                  q.value = "";
                  choose(each);
                }}
              >
                {each.name} <span class="badge">{each.badge}</span>
              </button>
            </li>
          ))}
          {others.value > 0 && <li class="soft">{t("admin_found_more", { count: others.value })}</li>}
        </ul>
      )}
    </div>
  );
}

/** Those who were chosen, each to be taken off again. */
export function Chips({ of, remove }: { of: readonly Found[]; remove?: (id: string) => void }) {
  return (
    <ul class="chips">
      {of.map(({ id, name, badge }) => (
        <li key={id}>
          {name} <span class="badge">{badge}</span>
          {remove && (
            <button
              type="button"
              aria-label={t("admin_remove", { name })}
              title={t("admin_remove", { name })}
              onClick={() => remove(id)}
            >
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
