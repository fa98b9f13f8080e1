/** What the build writes into dist/ (scripts/build-dist.mjs). Run from the sources, neither is known. */
declare const __HOLDFAST_VERSION__: string | undefined
declare const __HOLDFAST_NATIVE_SOURCES__: string | undefined

/** The version in package.json when this was built; null from the sources. */
export const builtVersion = typeof __HOLDFAST_VERSION__ === 'string' ? __HOLDFAST_VERSION__ : null

/** The digest of the C sources when this was built; null from the sources. */
export const builtNativeSources =
  typeof __HOLDFAST_NATIVE_SOURCES__ === 'string' ? __HOLDFAST_NATIVE_SOURCES__ : null
