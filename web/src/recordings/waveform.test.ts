import { expect, test } from "vitest";
import { heights } from "./waveform";

test("peaks become as many heights as are drawn, the loudest of each slice", () => {
  const peaks = btoa(String.fromCharCode(0, 255, 51, 102));
  expect(heights(peaks, 2)).toEqual([1, 0.4]);
  expect(heights("", 3)).toEqual([0, 0, 0]);
});
