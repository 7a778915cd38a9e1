/** Text over several lines. */
import { type FontSize, fitText, textWidth } from "../font.ts";

/** Breaks a text between words into lines of at most `width` pixels; a longer word is shortened in its middle. */
export function wrapText(text: string, size: FontSize, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || textWidth(longer, size) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== "") lines.push(line);
  return lines.map((each) => fitText(each, size, width));
}
