import { expect, test } from "vitest";
import { Icon } from "./icons";

test("an icon keeps nothing of the pages it was part of: each is drawn anew", () => {
  for (const [name, Drawn] of Object.entries(Icon)) {
    const [one, other] = [Drawn(), Drawn()];
    expect(one.props.children, name).toBeTruthy();
    expect(one.props.children, name).not.toBe(other.props.children);
  }
});
