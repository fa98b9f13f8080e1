/** The import rules of docs/architecture.md, enforced. */
const bundled = [
  ...[
    'commander',
    'picocolors',
    'get-east-asian-width',
    'zod',
    'execa',
    'pidusage',
    '@xterm/headless',
    '@xterm/addon-serialize',
    'diff',
  ],
  ...['hono', '@hono/node-server', 'prom-client', '@grpc/grpc-js', 'protobufjs', '@msgpack/msgpack'],
]

/** Small modules that import each other, types and Node alone: a client may read them without the library. */
const leaves = 'default-path|errors|invalid-argument|shortfalls|signals|system-error'

/** What an action of the command line imports when it needs it. */
const onDemand =
  '^src/cli/(files/|terminal/(at-terminal|present-screen)\\.ts$|(conformance|live-samples)\\.ts$)'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'machines-are-pure',
      comment: 'machines/ imports xstate and itself, nothing else: no I/O, no node:*, no rxjs, no src.',
      severity: 'error',
      from: { path: '^machines/' },
      to: { pathNot: ['^machines/', 'node_modules/xstate/'] },
    },
    {
      name: 'clients-use-the-entry-only',
      comment:
        'The command line, the conformance suite, the examples and the benches import the entries of the package, and the leaves below: what they need, users can have.',
      severity: 'error',
      from: { path: '^(src/cli|src/conformance|examples|bench)/' },
      to: {
        path: '^(src|machines)/',
        pathNot: [
          `^src/(index|package-root|${leaves})\\.ts$`,
          '^src/(inspector|metrics|nomad|nomad/check)/index\\.ts$',
          '^machines/types\\.ts$',
          '^src/cli/',
          '^src/conformance/',
        ],
      },
    },
    {
      name: 'help-does-without-the-library',
      comment:
        'What the command line reads before it knows what to do takes types of the library; the rest is imported by an action.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: onDemand },
      to: {
        path: [
          '^src/index\\.ts$',
          '^src/(conformance|inspector|metrics|nomad)/',
          'node_modules/rxjs/',
          onDemand,
        ],
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    {
      name: 'the-inspector-uses-the-entry-only',
      severity: 'error',
      from: { path: '^src/inspector/' },
      to: {
        path: '^(src|machines)/',
        pathNot: [`^src/(index|package-root|${leaves})\\.ts$`, '^src/metrics/index\\.ts$', '^src/inspector/'],
      },
    },
    {
      name: 'metrics-use-the-entry-only',
      severity: 'error',
      from: { path: '^src/metrics/' },
      to: { path: '^(src|machines)/', pathNot: ['^src/index\\.ts$', '^src/metrics/'] },
    },
    {
      name: 'the-library-does-without-server-and-metrics',
      comment: 'They have entries of their own: whoever imports the library reads none of it.',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/(cli|inspector|metrics)/' },
      to: { path: '^src/(inspector|metrics)/|node_modules/(hono|@hono|prom-client)/' },
    },
    {
      name: 'the-page-knows-types-only',
      comment:
        'web/ is for browsers: of the rest of the package it takes types, which are gone when it is built.',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|machines)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody-imports-the-page',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { path: '^web/' },
    },
    {
      name: 'the-nomad-driver-uses-the-entry-only',
      severity: 'error',
      from: { path: '^src/nomad/' },
      to: { path: '^(src|machines)/', pathNot: [`^src/(index|package-root|${leaves})\\.ts$`, '^src/nomad/'] },
    },
    {
      name: 'only-the-command-line-serves-nomad',
      comment: 'Whoever uses the library loads neither gRPC nor protobuf.',
      severity: 'error',
      from: {
        path: '^(src|machines)/',
        pathNot: '^src/(nomad/|cli/(commands/nomad-(driver|check)|output/check-table)\\.ts$)',
      },
      to: { path: ['^src/nomad/', 'node_modules/(@grpc|protobufjs|@msgpack)/'] },
    },
    {
      name: 'nobody-imports-the-command-line',
      severity: 'error',
      from: { pathNot: '^(src/cli|test)/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'nobody-imports-the-conformance-suite',
      comment: 'It is an entry of its own, and a client of the other; only the command line runs it.',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/(conformance/|cli/conformance\\.ts$)' },
      to: { path: '^src/conformance/' },
    },
    {
      name: 'nobody-imports-the-audit',
      comment: 'It looks at what all the others leave behind; only the entry offers it.',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/(audit/|index\\.ts$)' },
      to: { path: '^src/audit/' },
    },
    {
      name: 'platforms-do-not-know-tasks',
      comment: 'Adapters import types and tables, never the machine, the executor or the supervisor.',
      severity: 'error',
      from: { path: '^src/(platform|spawn|alloc|command)/' },
      to: { path: '^src/(task|supervisor|audit)/' },
    },
    {
      name: 'spawn-does-not-know-platforms',
      severity: 'error',
      from: { path: '^src/spawn/' },
      to: { path: '^src/platform/' },
    },
    {
      name: 'one-task-does-not-know-many',
      severity: 'error',
      from: { path: '^src/task/' },
      to: { path: '^src/supervisor/' },
    },
    {
      name: 'execa-only-starts-helpers',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/(spawn/|command/name-services\\.ts$)' },
      to: { path: 'node_modules/execa/' },
    },
    {
      name: 'pidusage-only-samples-basic-tasks',
      severity: 'error',
      from: { path: '^(src|machines)/', pathNot: '^src/platform/basic/' },
      to: { path: 'node_modules/pidusage/' },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependencies-in-the-package',
      comment:
        'But for those whose code scripts/build-dist.mjs puts into dist: none of their types is in the public surface.',
      severity: 'error',
      from: { path: '^(src|machines)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: `node_modules/(${bundled.join('|')})/` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
