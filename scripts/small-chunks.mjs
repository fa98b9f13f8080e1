import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

/** A chunk of fewer bytes takes whoever imports it about as long to find as to read. */
const smallBytes = 16_384

/**
 * Makes one file of the small chunks that `entry` reads. esbuild makes a chunk for each set of entries that
 * share a module, so that a command which shares one error with the library would cost every import of the
 * library one file more.
 *
 * @param {import('esbuild').Metafile} metafile of the build with chunks in it
 * @param {string} root what the paths in the metafile start at
 * @param {string} entry an output of that build, such as `dist/src/index.js`
 */
export async function joinSmallChunks({ outputs }, root, entry) {
  const small = smallOnes(outputs, entry)
  if (small.length < 2) return
  refuseNamesTwice(small, outputs)
  const directory = join(root, small[0], '..')
  const joined = await build({
    stdin: {
      contents: small.map(path => `export * from './${basename(path)}'`).join('\n'),
      resolveDir: directory,
    },
    outfile: join(directory, 'small.js'),
    bundle: true,
    format: 'esm',
    target: 'node20.19',
    external: ['node:*'],
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    write: false,
  })
  writeFileSync(join(directory, 'small.js'), joined.outputFiles[0].contents)
  for (const path of small) rmSync(join(root, path))
  const names = new RegExp(small.map(path => basename(path).replace('.', '\\.')).join('|'), 'g')
  for (const path of Object.keys(outputs).filter(path => !small.includes(path)))
    writeFileSync(join(root, path), readFileSync(join(root, path), 'utf8').replace(names, 'small.js'))
}

/** Those that read no other chunk than small ones: a file of them all is read before whoever needs it. */
function smallOnes(outputs, entry) {
  const read = new Set()
  const follow = path => {
    if (read.has(path)) return
    read.add(path)
    for (const chunk of chunksReadBy(outputs[path])) follow(chunk)
  }
  follow(entry)
  read.delete(entry)
  let small = [...read].filter(path => outputs[path].bytes < smallBytes)
  for (let before = -1; before !== small.length;) {
    before = small.length
    small = small.filter(path => chunksReadBy(outputs[path]).every(chunk => small.includes(chunk)))
  }
  return small.sort()
}

function chunksReadBy({ imports }) {
  return imports
    .filter(({ kind, external }) => kind === 'import-statement' && !external)
    .map(({ path }) => path)
}

/** `export *` leaves out a name that two files export, and says nothing. */
function refuseNamesTwice(paths, outputs) {
  const names = paths.flatMap(path => outputs[path].exports)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  if (twice.length > 0) throw new Error(`two small chunks export ${twice.join(', ')}`)
}
