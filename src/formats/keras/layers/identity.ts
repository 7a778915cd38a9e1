/** Layers that leave a trained network's values alone: noise and random changes happen in training only. */
import type { LayerEmitter } from "../layer.ts";
import { onlyInput } from "./settings.ts";

const identity: LayerEmitter = (layer, { inputs }, context) => ({
  outputs: [context.build.node("Identity", [onlyInput(layer, inputs, context)])],
  weights: [],
});

/** By class name. Random layers may store the state of their generator among the weights: it is no parameter. */
export const identities: Readonly<Record<string, LayerEmitter>> = Object.fromEntries(
  [
    "ActivityRegularization",
    "AlphaDropout",
    "AugMix",
    "CutMix",
    "Dropout",
    "FixedDropout",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "MixUp",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHeight",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomWidth",
    "RandomZoom",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StochasticDepth",
  ].map((name) => [name, identity]),
);
