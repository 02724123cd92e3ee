// Photos and notes from the field (现场取证): one key opens what to take, what is on its way, and what the group has sent.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { refusalWords, t } from "../i18n";
import { momentWords } from "../i18n/moments";
import { Drawer } from "../ui/Drawer";
import { Icon } from "../ui/icons";
import type { Refusal } from "../wire/protocol";
import { outbox } from "./here";
import { type Material, sentIn } from "./materials";
import type { Stand } from "./outbox";
import { SentOne } from "./SentOne";
import { shrunk } from "./shrink";
import "./materials.css";

type Where = { user: string; group: string; incident?: string | null };

/** Takes a photo at once; says by its colour what became of it. */
export function Camera({ user, group, incident = null }: Where) {
  const box = outbox(user);
  const stand = box.stand(group);
  return (
    <Picker
      looks="camera"
      stand={stand}
      camera
      onPicked={(picture) => void box.add({ user, group, incident, note: "", origin: "camera", picture })}
    >
      <Icon.camera />
      <span>{t(`photo_${stand}`)}</span>
    </Picker>
  );
}

export function EvidenceKey({ user, group, name }: Where & { name: string }) {
  const open = useSignal(false);
  const box = outbox(user);
  // What was refused elsewhere is told here: that group's own key may be gone with its case.
  const stand = box.refused.value.length > 0 ? "failed" : box.stand(group);
  return (
    <>
      <button
        type="button"
        class="evidence-key"
        data-state={stand}
        aria-haspopup="dialog"
        aria-label={t("evidence")}
        title={t("evidence")}
        onClick={() => {
          open.value = true;
        }}
      >
        <Icon.camera />
      </button>
      {open.value && (
        <Drawer title={t("evidence")} class="evidence" close={() => (open.value = false)}>
          <p class="hint">{name}</p>
          <Taking user={user} group={group} />
          <OnTheWay user={user} group={group} />
          <Sent key={group} group={group} after={box.sent.value[group] ?? 0} />
        </Drawer>
      )}
    </>
  );
}

function Taking({ user, group }: Where) {
  const note = useSignal("");
  const take = (origin: "camera" | "gallery" | "none", picture: Blob | null) => {
    void outbox(user).add({ user, group, incident: null, note: note.value.trim(), origin, picture });
    note.value = "";
  };
  return (
    <div class="taking">
      <textarea
        rows={2}
        maxLength={2000}
        aria-label={t("evidence_note")}
        placeholder={t("evidence_note")}
        value={note.value}
        onInput={(event) => {
          note.value = event.currentTarget.value;
        }}
      />
      <Picker looks="pick primary" camera onPicked={(picture) => take("camera", picture)}>
        <Icon.camera />
        {t("evidence_camera")}
      </Picker>
      <Picker looks="pick" onPicked={(picture) => take("gallery", picture)}>
        {t("evidence_gallery")}
      </Picker>
      <button type="button" class="pick" disabled={!note.value.trim()} onClick={() => take("none", null)}>
        {t("evidence_send_note")}
      </button>
    </div>
  );
}

function Picker(props: {
  looks: string;
  stand?: Stand;
  camera?: boolean;
  onPicked: (picture: Blob) => void;
  children: ComponentChildren;
}) {
  return (
    <label class={props.looks} data-state={props.stand}>
      {props.children}
      <input
        type="file"
        accept="image/*"
        {...(props.camera ? { capture: "environment" as const } : {})}
        onChange={(event) => {
          const picture = event.currentTarget.files?.[0];
          if (picture) void shrunk(picture).then(props.onPicked);
          // The same picture may be chosen again.
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

function OnTheWay({ user, group }: Where) {
  const box = outbox(user);
  const items = box.items.value.filter((item) => item.group === group || item.refused !== null);
  return (
    <ul class="on-the-way" aria-live="polite">
      {items.map(({ id, kind, note, takenMs, refused, ...item }) => (
        <li key={id} data-refused={refused !== null}>
          <span>
            {t(kind === "photo" ? "evidence_photo" : "evidence_note_one")} {note}
            {refused !== null && (
              <small>
                {momentWords(takenMs)}
                {item.group !== group && ` · ${t("evidence_elsewhere")}`} · {refusalWords(refused as Refusal)}
              </small>
            )}
          </span>
          <em>
            {refused !== null
              ? t("photo_failed")
              : t(id === box.sending.value ? "photo_sending" : "photo_waiting")}
          </em>
          {refused !== null && (
            <button type="button" onClick={() => void box.drop(id)}>
              {t("evidence_drop")}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The newest photos and notes of a group; a picture is fetched when it is tapped, with its watermark. */
function Sent({ group, after }: { group: string; after: number }) {
  const found = useSignal<readonly Material[]>([]);
  useEffect(() => {
    void sentIn(group).then(
      (materials) => {
        found.value = materials;
      },
      () => undefined,
    );
  }, [group, after, found]);
  return (
    <ul class="sent">
      {found.value.map((one) => (
        <SentOne key={one.id} one={one} />
      ))}
    </ul>
  );
}
