import { Command } from "commander";
import { expect, test } from "vitest";
import { attackOptions, attacks, planText } from "./attacks.ts";

test("a flag says what it means for each attack that has it", () => {
  const command = new Command();
  attackOptions(command);
  for (const { id, options } of attacks)
    for (const [name, { help }] of Object.entries(options)) {
      const option = command.options.find((one) => one.attributeName() === name && !one.negate);
      if (name !== "seed" && name !== "maxTime") expect(option?.description, `${id} ${name}`).toContain(help);
    }
});

test("a plan names its time, and what ends it sooner where it is long", () => {
  expect(planText({ queries: 2, milliseconds: 9 }, undefined)).toBe("at most 2 pictures to judge, under a second");
  expect(planText({ queries: 8192, milliseconds: 12_100 }, 60)).toBe("at most 8,192 pictures to judge, about 13 s");
  const long = { queries: 401_408, milliseconds: 7_200_000 };
  expect(planText(long, undefined)).toBe(
    "at most 401,408 pictures to judge, about 120 min; --max-queries or --max-time ends it sooner",
  );
  expect(planText(long, 4)).toBe(
    "at most 401,408 pictures to judge, about 120 min for all; --max-time ends it after 4 s",
  );
});
