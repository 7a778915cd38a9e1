/** What is known of a picture file before its pixels are decoded. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** EXIF orientation, 1 to 8. */
  readonly orientation: number;
  readonly notes: readonly string[];
}

/** Why a file cannot be decoded, as the end of the sentence `"x.png" …`; `unsupported`: recognised but not decoded. */
export class ImageProblem extends Error {
  readonly unsupported: boolean;

  constructor(sentence: string, options: ErrorOptions & { unsupported?: boolean } = {}) {
    super(sentence, options);
    this.unsupported = options.unsupported ?? false;
  }
}
