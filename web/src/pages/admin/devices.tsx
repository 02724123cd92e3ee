// One device: whose it is, when it was last seen, and what it is called.

import { t } from "../../i18n";
import { momentWords } from "../../i18n/moments";
import { type Field, Form, Panel } from "./Editor";
import { may } from "./office";
import { type EditorProps, useHeld } from "./people";

const FIELDS: readonly Field[] = [{ name: "name", title: "admin_name", kind: "text", required: true }];

export function DevicePanel({ id, close, saved }: EditorProps) {
  const [found, kept] = useHeld(`/devices/${id}`, {});
  if (typeof found === "string") return <Panel title={t("admin_device")} close={close} children={found} />;
  const { name, user_name, last_ms, enabled } = found?.values ?? {};
  return (
    <Panel title={String(name ?? "")} close={close}>
      {found && (
        <>
          <dl class="facts">
            <dt>{t("admin_owner")}</dt>
            <dd>{String(user_name ?? "—")}</dd>
            <dt>{t("admin_last_seen")}</dt>
            <dd>{last_ms ? momentWords(Number(last_ms)) : t("admin_never")}</dd>
            <dt>{t("admin_state")}</dt>
            <dd>{t(enabled ? "admin_in_use" : "admin_disabled")}</dd>
          </dl>
          {may("devices") && (
            <Form fields={FIELDS} path={`/devices/${id}`} held={found} kept={kept} saved={saved} />
          )}
        </>
      )}
    </Panel>
  );
}
