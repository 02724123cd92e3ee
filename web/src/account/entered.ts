// Who is here: the person of this tab or device, or, in the demo, the one that `?as=` names.

import { current, enter } from "./account";
import { api } from "./api";

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
