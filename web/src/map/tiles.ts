// The operator's tiles, asked for once: without any, maps show cells and places alone and need no network.

import { authorised } from "../account/authorised";
import type { Datum } from "./datum";

export type Tiles = {
  template: string;
  hosts: readonly string[];
  datum: Datum;
  most_zoom: number;
  attribution: string;
};

let asked: Promise<Tiles | null> | null = null;

export function tiles(): Promise<Tiles | null> {
  asked ??= authorised<{ tiles: Tiles | null }>("GET", "/map").then(
    ({ tiles: found }) => found,
    () => {
      asked = null; // the next map asks again; this one is drawn without
      return null;
    },
  );
  return asked;
}
