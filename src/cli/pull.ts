/** `convlens models pull`: the weights of known networks, downloaded once; what the list and `info` tell of them. */
import {
  type Application,
  applicationCard,
  ConvlensError,
  didYouMean,
  findApplication,
  keptWeights,
  megabytes,
  pullApplication,
  readApplications,
} from "../index.ts";
import { createNodePlatform } from "../node.ts";
import { clean, makeTerminal, print, printJson } from "./terminal.ts";

export interface PullFlags {
  readonly cache?: string;
  readonly mirror?: string;
  readonly offline?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Downloads the weights of the networks that are named. */
export async function pull(ids: readonly string[], flags: PullFlags): Promise<void> {
  const { cache, mirror, offline } = flags;
  const terminal = makeTerminal(flags);
  const platform = createNodePlatform({
    ...(cache === undefined ? {} : { cache }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(offline === undefined ? {} : { offline }),
  });
  // A mistyped id is told before anything is downloaded.
  const wanted: Application[] = [];
  for (const id of ids) wanted.push((await findApplication(platform, id)) ?? (await unknown(id)));
  const files: object[] = [];
  for (const application of wanted) {
    // A bar moves often; lines in a log are few.
    const steps = process.stderr.isTTY ? 100 : 10;
    let last = -1;
    const source = await pullApplication(platform, application, {
      onProgress: (done, total) => {
        const step = Math.floor((steps * done) / (total || 1e6 * megabytes(application)));
        if (step === last) return;
        last = step;
        const size = total > 0 ? ` of ${(total / 1e6).toFixed(1)}` : "";
        terminal.progress(Math.min(step, steps), steps, `${application.id}: ${(done / 1e6).toFixed(1)}${size} MB`);
      },
    });
    files.push({ id: application.id, file: source.path, bytes: source.size });
    if (!flags.json) print(`${application.id}  ${source.path}  ${(source.size / 1e6).toFixed(1)} MB`);
  }
  if (flags.json) printJson({ version: 1, kind: "pull", files });

  async function unknown(id: string): Promise<never> {
    const known = (await readApplications(platform)).map((application) => application.id);
    const near = didYouMean(id, known) || ` These are: ${known.join(", ")}`;
    throw new ConvlensError("option-invalid", `there is no "${id}" to download.${near}`);
  }
}

/** A row of the list for each network that can be downloaded. */
export async function pullRows(cache: string | undefined): Promise<readonly (PullRow & { readonly title: string })[]> {
  const platform = createNodePlatform(cache === undefined ? {} : { cache });
  return Promise.all(
    (await readApplications(platform)).map(async (application) => {
      const kept = await keptWeights(platform, application);
      const { id, title, licence } = application;
      const bytes = kept?.size ?? 1e6 * megabytes(application);
      return { id, title, bytes, downloaded: kept !== undefined, labels: "imagenet", licence };
    }),
  );
}

interface PullRow {
  readonly id: string;
  readonly bytes: number;
  readonly downloaded: boolean;
  readonly labels: string;
  readonly licence: string | undefined;
}

/** Tells of a network that need not be there yet; `false` for any other name. */
export async function tellApplication(name: string, json: boolean): Promise<boolean> {
  const platform = createNodePlatform();
  const application = await findApplication(platform, name);
  if (!application || (await keptWeights(platform, application))) return false;
  const card = applicationCard(application);
  const { id, title, address, parameters, size, preprocessing, licence, md5, sha256 } = application;
  if (json) {
    printJson({ version: 1, kind: "model", name: id, downloaded: false, ...application, card });
    return true;
  }
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["name", id],
    ["title", title],
    ["file", `not downloaded, about ${megabytes(application)} MB: convlens models pull ${id}`],
    ["parameters", parameters.toLocaleString("en")],
    ["preprocess", `${size.join("x")} stretch, nearest (pil); ${preprocessing}`],
    ["labels", "imagenet"],
    ["licence", licence],
    ["source", address],
    ["md5", md5],
    ["sha256", sha256],
  ];
  for (const [key, value] of lines) if (value !== undefined) print(`${key.padEnd(12)}${clean(value)}`);
  return true;
}
