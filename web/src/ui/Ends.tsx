// A name that may be cut in its middle: channels that begin alike are told from each other by how they end.

import "./ends.css";

const SHORT = 8;
const END = 4;

export function Ends({ of }: { of: string }) {
  const letters = [...of];
  if (letters.length <= SHORT) return <>{of}</>;
  return (
    <span class="ends">
      <span>{letters.slice(0, -END).join("")}</span>
      <span>{letters.slice(-END).join("")}</span>
    </span>
  );
}
