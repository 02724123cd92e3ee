// A dialog of the console: Escape and its button close it; keys of the wall rest behind it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ConsoleDesk, Dialog } from "../../console/desk";
import { refusalWords, t } from "../../i18n";

type ModalProps = { desk: ConsoleDesk; dialog: Dialog; title: string; children: ComponentChildren };

export function Modal({ desk, dialog, title, children }: ModalProps) {
  const element = useRef<HTMLDialogElement>(null);
  const open = desk.dialog.value === dialog;
  useEffect(() => {
    if (open && !element.current?.open) {
      element.current?.showModal();
      element.current
        ?.querySelector<HTMLElement>("form :is(select, input:checked, input[type=text])")
        ?.focus();
    }
    if (!open) element.current?.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      class="modal"
      data-dialog={dialog}
      aria-label={title}
      onClose={() => {
        if (desk.dialog.peek() === dialog) desk.dialog.value = null;
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" onClick={() => (desk.dialog.value = null)}>
          {t("close")}
        </button>
      </header>
      {desk.refused.value && (
        <p class="problem" role="alert">
          {refusalWords(desk.refused.value)}
        </p>
      )}
      {open && children}
    </dialog>
  );
}
