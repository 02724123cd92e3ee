// A phone for whoever is signed in here.

import { freshToken } from "../../account/account";
import { entered } from "../../account/entered";
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
