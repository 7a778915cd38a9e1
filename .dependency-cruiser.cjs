/** The table of folders: each may import only what its row names (CONTRIBUTING.md says what each holds). */
const layers = {
  core: [],
  image: ["core"],
  graph: ["core"],
  formats: ["core", "graph"],
  autodiff: ["core", "graph"],
  platform: ["core"],
  model: ["core", "graph", "formats", "autodiff", "image"],
  methods: ["core", "model", "graph", "autodiff", "image"],
  render: ["core"],
  report: ["core", "image", "model", "methods", "render"],
};

const notAllowed = Object.entries(layers).map(([folder, may]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder}/ may import only: ${[folder, ...may].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/`, pathNot: "\\.test\\.ts$" },
  to: { path: "^src/", pathNot: `^src/(${[folder, ...may].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...notAllowed,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "platform-only",
      comment: "only platform/ and cli/ may know Node; only platform/ may know ONNX Runtime",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(platform|cli)/|\\.test\\.ts$" },
      to: {
        path: "^onnxruntime-|node_modules/onnxruntime-",
        dependencyTypes: ["npm", "npm-optional", "npm-dev", "npm-peer"],
      },
    },
    {
      name: "node-only-in-platform",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(platform|cli)/|\\.test\\.ts$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "cli-sees-the-public-entries",
      severity: "error",
      from: { path: "^src/cli/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/", pathNot: "^src/(cli/|index\\.ts|node\\.ts)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
