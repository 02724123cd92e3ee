// Who talks here: the person of this tab or device, or, in the demo, the one that `?as=` names.

import { current, enter, freshToken } from "../../account/account";
import { api } from "../../account/api";
import { language } from "../../i18n";
import { Phone } from "../../phone/phone";

/** What a phone hears at once. */
const SLOTS = 2;

/**
 * A phone that has been started; null when the person was sent to sign in. With `mixes` each group has a fader and an ear of its
 * own.
 */
export async function begin(slots = SLOTS, mixes = false): Promise<Phone | null> {
  if (!(await entered())) return null;
  const phone = new Phone({ language: language.value, slots, mixes, token: freshToken });
  phone.start();
  return phone;
}

/** Whether somebody is signed in here; else he was sent to sign in. */
export async function entered(): Promise<boolean> {
  const url = new URL(location.href);
  const as = url.searchParams.get("as");
  if (as) {
    try {
      enter(await api.stepIn(as), "tab");
    } catch {
      // No demo, or nobody of that name: the start page says so.
    }
    url.searchParams.delete("as");
    history.replaceState(null, "", url);
  }
  if (!current()) {
    location.replace("/");
    return false;
  }
  return true;
}
