// The contacts that match a word: asked of the server, which knows the pinyin of every name.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type Contact, colleagues } from "../account/people";

/** Typing goes on for so long before it is asked. */
const SETTLED_MS = 180;

/** `of`: what they were found by; null: nobody was looked for yet. */
export type Contacts = { people: readonly Contact[]; of: string | null; failed: boolean };

/** `failed`: the server was not there; who is listed was found before. */
export function useContacts(word: string, me: string | undefined): Contacts {
  const found = useSignal<Contacts>({ people: [], of: null, failed: false });
  useEffect(() => {
    if (!me) return;
    let wanted = true;
    const of = word.trim();
    const ask = () =>
      void colleagues(of).then(
        (people) => {
          if (wanted) found.value = { people, of, failed: false };
        },
        () => {
          if (wanted) found.value = { ...found.peek(), failed: true };
        },
      );
    const timer = window.setTimeout(ask, found.peek().people.length ? SETTLED_MS : 0);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [word, me, found]);
  return found.value;
}
