/** Model cards on disk: where the card of a network lies, reading it, and making one of what was chosen for a run. */
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { applicationCard, embeddedModels, findApplication, type Model, type ModelCard } from "../index.ts";
import { platform } from "../node.ts";
import type { ModelFlags } from "./options.ts";

/** Where the card of a file, or of an embedded network, lies. */
export async function cardPath(model = "cats-and-dogs"): Promise<string> {
  if (embeddedModels.includes(model)) return (await platform.embedded(`${model}.card.json`)).path!;
  return join(dirname(model), `${basename(model, extname(model))}.card.json`);
}

export async function readCard(path: string): Promise<ModelCard | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ModelCard);
}

/** The card of a network as it is named on the command line. */
export async function cardOf(model: string | undefined): Promise<ModelCard | undefined> {
  const application = model === undefined ? undefined : await findApplication(platform, model);
  return application ? applicationCard(application) : readCard(await cardPath(model));
}

/** A card of an opened network: what another card says of it, and how this run prepares, names and scores. */
export function makeCard(model: Model, flags: ModelFlags, before: ModelCard | undefined): ModelCard {
  const list = flags.labels ?? before?.labels;
  const labels = typeof list === "string" && extname(list) === "" ? list : model.labels?.map(labelText);
  return {
    ...before,
    version: 1,
    preprocessing: model.preprocessing,
    ...(labels === undefined ? {} : { labels }),
    ...(flags.activation === undefined ? {} : { activation: flags.activation }),
  };
}

const labelText = ({ name, wnid }: { name: string; wnid?: string }): string =>
  wnid === undefined ? name : `${wnid} ${name}`;
