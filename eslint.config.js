import js from '@eslint/js'
import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'

// What tsconfig.json has. These tests are of the types of the browser.
const typed = {
  files: ['src', 'machines', 'test', 'scripts', 'bench', 'examples'].map(folder => `${folder}/**/*.ts`),
  ignores: ['test/inspector/page.test.ts', 'test/inspector/changes.test.ts', 'test/inspector/contrast.ts'],
}

export default [
  { ignores: ['dist', 'build', 'artifacts', 'node_modules'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  ...tseslint.configs.stylistic,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@stylistic': stylistic },
    rules: {
      // Prettier breaks code, and nobody breaks a text that is searched for. Comments are broken here; a
      // table has no other line.
      '@stylistic/max-len': [
        'error',
        {
          code: 110,
          ignoreUrls: true,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
          ignorePattern: '^ *\\* \\|',
        },
      ],
      // tsc finds undefined names better.
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-control-regex': 'off',
      'no-useless-escape': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        {
          selector: 'ImportDeclaration[source.value=/^zod/] > ImportSpecifier',
          message: 'import * as z: the bundle then holds only what is used.',
        },
      ],
    },
  },
  ...tseslint.configs.strictTypeCheckedOnly.map(config => ({ ...config, ...typed })),
  {
    ...typed,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A promise that nobody waits for ends the program when it rejects: each is awaited, returned or given
      // both ways to go. `void` is neither.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      // `async` alone makes a rejection of what a function throws; callers rely on it.
      '@typescript-eslint/require-await': 'off',
      // An arrow function of one expression returns what it calls, void too.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Callers in JavaScript pass what the types rule out, and a signal is aborted across an await.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // A variable of the environment is removed by name.
      '@typescript-eslint/no-dynamic-delete': 'off',
      // An actor of XState that gives nothing is `fromPromise<void>`.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // The types say of every stream that it has columns, and a pipe has none.
      '@typescript-eslint/no-useless-default-assignment': 'off',
      // A cast to a class is a cast as any other.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // `{} satisfies Record<Forgotten, true>` does not compile once something is forgotten.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // `readJson<T>()` says at the call what is read.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    // A test that reads what is not there fails, and that is what it is for.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      // A host that a test makes up is copied with another function in it.
      '@typescript-eslint/no-misused-spread': 'off',
      // What is refused may be a value of any kind.
      '@typescript-eslint/no-base-to-string': 'off',
    },
  },
  {
    // What is longer holds two ideas. The public types are one list; the layout is generated.
    files: ['src/**/*.ts', 'machines/**/*.ts', 'web/**/*.{ts,tsx}'],
    ignores: ['src/api.ts', 'src/graph/task-layout.ts'],
    rules: { 'max-lines': ['error', 250] },
  },
  // Compiled and never run.
  { files: ['test/types/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  { files: ['eslint.config.js'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
]
