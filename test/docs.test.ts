import { strict as assert } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageRoot } from '../src/spawn/native-program.ts'

const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
  readdirSync(join(packageRoot, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
)
const textOf = (page: string): string => readFileSync(join(packageRoot, page), 'utf8')

describe('the documents', () => {
  for (const page of pages) {
    it(`${page} names only files and folders that are there, and links only to what is there`, () => {
      const named = [
        ...textOf(page).matchAll(/`((?:src|machines|test|web|docs|scripts|bench|examples)\/[\w./-]+)`/g),
      ]
      const linked = [...textOf(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
      const missing = [
        ...named.map(([, path = '']) => path),
        ...linked.map(([, path = '']) => join(dirname(page), path)),
      ].filter(path => !existsSync(join(packageRoot, path)))
      assert.deepEqual(missing, [])
    })

    it(`${page} has anchors where its links lead`, () => {
      const links = [...textOf(page).matchAll(/\]\(([^)#:\s]*)#([^)\s]+)\)/g)]
      const missing = links
        .map(([, path = '', anchor = '']) => ({
          target: path === '' ? page : join(dirname(page), path),
          anchor,
        }))
        .filter(({ target, anchor }) => !anchorsOf(textOf(target)).has(anchor))
      assert.deepEqual(missing, [])
    })
  }

  it('have lines of 110 at most, tables and examples aside', () => {
    const long = pages
      .filter(page => page.startsWith('docs/'))
      .flatMap(page =>
        proseOf(textOf(page))
          .filter(line => line.length > 110)
          .map(line => `${page}: ${line}`),
      )
    assert.deepEqual(long, [])
  })

  it('are all reached from the list of pages', () => {
    const list = textOf('docs/architecture.md')
    const missing = pages.filter(page => page.startsWith('docs/') && page !== 'docs/architecture.md')
    assert.deepEqual(
      missing.filter(page => !list.includes(`(${page.slice('docs/'.length)})`)),
      [],
    )
  })

  it('walk through a start in twenty-one steps, each with the file that does it', () => {
    const steps = textOf('docs/a-start.md')
      .split(/^\d+\. /m)
      .slice(1)
    assert.equal(steps.length, 21)
    assert.deepEqual(
      steps.slice(0, 19).filter(step => !/`(?:src|machines)\//.test(step)),
      [],
    )
  })
})

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

function proseOf(text: string): string[] {
  return text
    .replace(/^```[^]*?^```$/gm, '')
    .split('\n')
    .filter(line => !line.startsWith('|'))
}
