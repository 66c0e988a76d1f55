/** The arrows of docs/architecture.md: which folder may import which. */
const CONTRACT = '^src/[^/]+[.]ts$';
/** The only files that know implementations by name: the wiring, and the entry of a worker thread. */
const WIRING = '^src/cli/(wire|wire-watch|worker)[.]ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means that two files are one thing cut in the wrong place.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'contracts-import-contracts',
      comment:
        'A file directly under src/ is a contract: it imports other contracts and packages, never what implements it.',
      severity: 'error',
      from: { path: CONTRACT },
      to: { path: '^(src/[^/]+/|detectors/|test/|bench/|scripts/)' },
    },
    {
      name: 'siblings-are-strangers',
      comment:
        'A folder under src/ imports contracts and itself. What it needs of a sibling is handed to it by src/cli/wire.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: WIRING },
      to: { path: '^src/[^/]+/', pathNot: '^src/$1/' },
    },
    {
      name: 'source-imports-source',
      comment:
        'What is shipped imports neither detectors, tests, benchmarks nor scripts by name; detectors are loaded from their folder.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(detectors|test|bench|scripts)/' },
    },
    {
      name: 'detectors-import-the-contract',
      comment:
        'A detector is data: it imports src/detector.ts alone, so it can move to another project or be written by a user.',
      severity: 'error',
      from: { path: '^detectors/' },
      to: { pathNot: '^src/detector[.]ts$' },
    },
    {
      name: 'engine-behind-its-contract',
      comment: 'Only the store and the backends know DuckDB.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/((store|backends)/|duckdb[.]ts$)'] },
      to: { path: ['node_modules/@duckdb/', '^src/duckdb[.]ts$'] },
    },
    {
      name: 'shipped-code-needs-shipped-packages',
      comment: 'A package that src/ or detectors/ imports stands under dependencies in package.json.',
      severity: 'error',
      from: { path: '^(src|detectors)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that does not resolve hides the arrow behind it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/formats/scanner/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
