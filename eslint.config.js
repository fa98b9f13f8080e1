import js from '@eslint/js'
import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'

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
  {
    // A promise that nobody waits for ends the program when it rejects: each is awaited, returned or given
    // both ways to go. `void` is neither.
    files: ['src/**/*.ts', 'machines/**/*.ts', 'test/**/*.ts'],
    // Types of the browser; tsconfig.json leaves it out.
    ignores: ['test/inspector/page.test.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
  // Compiled and never run.
  { files: ['test/types/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  { files: ['eslint.config.js'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
]
