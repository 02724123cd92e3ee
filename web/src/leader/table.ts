// The report of a broadcast as a table that a spreadsheet opens: each person with every time that is known of him.

import { t } from "../i18n";
import { csv } from "../ui/csv";
import type { Report } from "./api";

export function tableOf({ receipts }: Report): string {
  const head = [
    t("column_person"),
    t("column_badge"),
    t("column_state"),
    ...(["sent", "delivered", "heard", "acknowledged"] as const).map((state) => t(`receipt_${state}`)),
  ];
  const lines = receipts.map((row) => [
    row.person.name,
    row.person.badge ?? "",
    t(`receipt_${row.state ?? "waiting"}`),
    ...[row.sent_ms, row.delivered_ms, row.heard_ms, row.acknowledged_ms].map(time),
  ]);
  return csv([head, ...lines]);
}

function time(at: number | null): string {
  return at === null ? "" : new Date(at).toISOString();
}
