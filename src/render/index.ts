/** Results and numbers to pictures, scenes, SVG and terminal text. Pure: nothing here reads, writes or runs a network. */
export { type ActivationSheetOptions, activationSheets, sheetLayout } from "./activations.ts";
export { attackScene, attackText, vulnerabilityPicture } from "./attack.ts";
export { evaluationText, matrixChart, reachedChart } from "./attack-rates.ts";
export { measureChart, predictionChart } from "./charts.ts";
export { applyColorMap, type ColorMapName, type ColorMapOptions, colorMap, colorMapNames } from "./colormaps.ts";
export { type ComparisonRow, comparisonRow, comparisonSheet } from "./comparison.ts";
export { type Box, explanationBoxes } from "./explain/boxes.ts";
export { type ExplanationMode, type ExplanationOptions, explanationModes, type Placed } from "./explain/draw.ts";
export { type PaletteName, paletteName } from "./explain/palette.ts";
export { type FilterSheetOptions, filterSheets } from "./filters.ts";
export { imagesSheet, pictureGrid, reachedText } from "./images.ts";
export { lecturePicture } from "./lecture.ts";
export { type MatshowOptions, matshow } from "./matshow.ts";
export { barePicture, explanationPicture, explanationScene } from "./overlay.ts";
export { type Mark, type Scene, sceneToPicture } from "./scene.ts";
export type { SheetPage, Tile } from "./sheet.ts";
export { sceneToSvg } from "./svg.ts";
export { listText, measureText, predictionText, summaryText, type TextOptions } from "./terminal.ts";
