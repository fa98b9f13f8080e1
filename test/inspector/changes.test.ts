import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { inspector } from '../../src/inspector/index.ts'
import type { ChangeList, ChangePatches } from '../../web/types.ts'
import { outputOf, untilOutput } from '../support/output.ts'
import { overlaid, projectOf } from '../support/overlaid.ts'
import { requires } from '../support/requires.ts'
import { withWorkbench } from '../support/workbench.ts'
import { screenshot } from './browser.ts'
import { ask } from './client.ts'
import { contrast } from './contrast.ts'
import { inBrowser, row, shown } from './shown.ts'

const files = {
  'README.md': '# Project\n\nText.\n',
  'src/main.ts': Array.from({ length: 30 }, (_, index) => `export const value${index} = ${index}\n`).join(''),
  'src/old/gone.ts': 'export {}\n',
  'src/old/too.ts': 'export {}\n',
  'lib/kept.ts': 'export const kept = true\n',
}
const script = String.raw`
  sed -i -e '3s/.*/export const value2 = "<img src=x onerror=alert(1)>"/' -e '20d' src/main.ts; rm -r src/old
  mkdir -p src/new/deep; echo 'export const one = 1' > src/new/deep/one.ts; : > src/new/empty; ln -s /etc/passwd link
  printf 'a\0b' > binary; printf 'evil \033[2J \342\200\256 text\n' > "$(printf 'na\033[1mme')"; chmod 755 lib/kept.ts
  echo more >> README.md; echo ready; while [ ! -e go ]; do sleep 0.05; done; echo late > late; sleep 1000`

inBrowser("the changes on the inspector's page", browser => {
  before(function () {
    requires(this, 'isolation', 'linux', 'native')
  })

  for (const [name, viewport, colorScheme] of [
    ['wide', { width: 1360, height: 900 }, 'light'],
    ['narrow', { width: 390, height: 844 }, 'dark'],
  ] as const)
    it(`are a tree that is gone through by keyboard, with the difference of each file, ${name} and ${colorScheme}`, () =>
      shown(
        browser(),
        async ({ page, complaints, asked }, bench) => {
          const project = projectOf(bench, files)
          const task = overlaid(bench, project, script)
          await task.start()
          await untilOutput(task, 'ready')
          writeFileSync(join(project.path, 'README.md'), 'theirs\n')
          await row(page, task.key).click()
          await page.getByTestId('change-count').getByText('11 changes').waitFor()
          const tree = page.getByRole('tree', { name: 'Changed files' })
          assert.deepEqual(await active(page), ['lib/', 1, 'true'])
          assert.deepEqual(patchesAsked(asked), [], 'what nobody looks at is not read')
          await tree.focus()
          await page.keyboard.press('End')
          assert.deepEqual(await active(page), ['na\\x1b[1mme', 1, null])
          await tree.getByText('README.md').click()
          await page.getByTestId('diff').getByText('it has changed on the host, too').waitFor()
          await tree.getByRole('treeitem', { name: 'README.md, changed, conflict' }).waitFor()
          await page.keyboard.press('Home')
          await page.getByTestId('diff').getByText('1 changed', { exact: true }).waitFor()
          await page.keyboard.press('ArrowLeft')
          assert.deepEqual(await active(page), ['lib/', 1, 'false'])
          await page.keyboard.press('ArrowDown')
          await page.keyboard.press('ArrowRight')
          assert.deepEqual(await active(page), ['new/', 2, 'true'])
          await page.keyboard.press('ArrowLeft')
          await page.keyboard.press('ArrowLeft')
          assert.deepEqual(await active(page), ['src/', 1, 'true'])

          await tree.getByText('main.ts').click()
          const diff = page.getByTestId('diff')
          await diff
            .locator('.plus')
            .getByText('+export const value2 = "<img src=x onerror=alert(1)>"')
            .waitFor()
          await diff.locator('.minus').getByText('-export const value19 = 19').waitFor()
          for (const item of await tree.locator('.item').all())
            assert.ok(((await item.boundingBox())?.height ?? 0) < 30, `${await item.innerText()} on one line`)
          await screenshot(page, `changes-${name}-top`)
          await page.locator('.changes').scrollIntoViewIfNeeded()
          for (const scheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme: scheme })
            await screenshot(page.locator('.changes'), `changes-${name}-${scheme}`)
            for (const selector of [
              '.added .kind',
              '.deleted .kind',
              '.changed .kind',
              '.sums .added',
              '.conflict',
            ])
              assert.ok((await contrast(page, selector)) >= 4.5, `${selector} ${scheme}`)
          }
          await tree.getByText('old/').click()
          await diff.getByText('src/old/too.ts').waitFor()
          await tree.getByText('na\\x1b[1mme').click()
          await diff.getByText('+evil \\x1b[2J \\u{202e} text').waitFor()
          await tree.getByText('binary').click()
          await diff.getByText('It is binary.').waitFor()
          await tree.getByText('link', { exact: true }).click()
          await diff.getByText('leads to /etc/passwd').waitFor()

          // It runs, and is read again.
          await outputOf(task.exec('/bin/sh', '-c', ': > go'))
          await tree.getByText('late').click()
          await diff.getByText('+late').waitFor()
          const wide = await page.locator('html').evaluate(html => html.scrollWidth - html.clientWidth)
          assert.ok(wide <= 0, `${wide} pixels to the right`)
          assert.deepEqual(complaints, [])
        },
        { platform: 'linux', viewport, colorScheme },
      ))

  it('are thousands with few nodes, and the last of them is one key away', () =>
    shown(
      browser(),
      async ({ page, complaints }, bench) => {
        const task = overlaid(
          bench,
          projectOf(bench, {}),
          'i=0; while [ $((i += 1)) -le 3000 ]; do : > f$i; done',
        )
        await outputOf(task)
        await row(page, task.key).click()
        await page.getByTestId('change-count').getByText('3,000 changes').waitFor()
        const tree = page.getByRole('tree', { name: 'Changed files' })
        await tree.focus()
        for (const [key, name] of [
          ['End', 'f999'],
          ['Home', 'f1'],
          ['ArrowDown', 'f10'],
        ] as const) {
          await page.keyboard.press(key)
          await tree.locator('[aria-selected=true]').getByText(name, { exact: true }).waitFor()
          assert.equal((await active(page))[0], name)
          assert.ok((await tree.locator('.item').count()) < 100)
        }
        assert.deepEqual(complaints, [])
      },
      { platform: 'linux' },
    ))

  it('are told by an id and by nothing else, without values of the environment, to who has the token', () =>
    withWorkbench('linux', async bench => {
      const project = projectOf(bench, files)
      const task = overlaid(bench, project, 'echo new > $NAME; echo x > README.md', {
        env: { PATH: '/usr/bin:/bin', NAME: 'a-secret-name' },
      })
      await outputOf(task)
      const plain = bench.shell('true')
      await outputOf(plain)
      const server = await inspector({ supervisor: bench.supervisor })
      try {
        const path = `/api/tasks/${task.key}/changes`
        for (const each of [path, `${path}/x`])
          assert.equal((await ask(server, { path: each, token: null })).status, 401)
        assert.equal((await ask(server, { path, headers: { Host: 'example.org' } })).status, 403)
        assert.equal((await ask(server, { path: `/api/tasks/${plain.key}/changes` })).status, 409)
        assert.equal((await ask(server, { path, method: 'POST' })).status, 405)
        const { body } = await ask(server, { path })
        assert.ok(!body.includes('secret'), body)
        const { changes, left } = JSON.parse(body) as ChangeList
        assert.deepEqual([changes.map(change => change.path), left], [['README.md', '***'], 0])
        const read = await ask(server, { path: `${path}/${changes[1]?.id}` })
        const [file] = (JSON.parse(read.body) as ChangePatches).files
        assert.match(file?.text ?? '', /\n\+new$/)
        // What is there, by its name, by another way to it, and what no list has told of.
        for (const name of ['README.md', '..%2fREADME.md', '%2e%2e', 'lib%2Fkept.ts', 'x'.repeat(22)])
          assert.equal((await ask(server, { path: `${path}/${name}` })).status, 404, name)
      } finally {
        await server.close()
      }
    }))
})

/** Name, level and whether it is open, of the node that the keyboard is at. */
async function active(page: Page): Promise<unknown[]> {
  const id = await page.getByRole('tree').getAttribute('aria-activedescendant')
  const item = page.locator(`#${id}`)
  await item.waitFor()
  const [level, open] = await Promise.all(
    ['aria-level', 'aria-expanded'].map(attribute => item.getAttribute(attribute)),
  )
  return [await item.locator('.name').innerText(), Number(level), open ?? null]
}

function patchesAsked(asked: readonly string[]): string[] {
  return asked.filter(address => /\/changes\/./.test(address))
}
