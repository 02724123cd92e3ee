// Tables that a spreadsheet opens.

/** A leading mark says that it is UTF-8; a cell that a spreadsheet would take for a formula is text. */
export function csv(lines: readonly (readonly string[])[]): string {
  return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}`;
}

function cell(text: string): string {
  return `"${text.replace(/^([=+\-@])/, "'$1").replaceAll('"', '""')}"`;
}

/** Gives the person a file to keep. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
