import { strict as assert } from 'node:assert'
import type { Page } from 'playwright-core'
import type { Workbench } from '../support/workbench.ts'
import { openPage, screenshot } from './browser.ts'
import { atOnce, inBrowser, key, row, shown } from './shown.ts'

inBrowser("the inspector's list", browser => {
  it('selects by state, end and label, and has the same choice after a reload', () =>
    shown(browser(), async ({ page, complaints }, bench) => {
      const [web, job, bad] = await threeTasks(bench)
      await names(page, [web, bad, job])
      await page.getByRole('button', { name: 'running 1' }).click()
      await names(page, [web])
      await page.getByRole('button', { name: 'running 1' }).click()
      await names(page, [web, bad, job])
      await page.getByRole('button', { name: 'exit ≠ 0 1' }).click()
      await names(page, [bad])
      await page.getByRole('button', { name: 'Show all' }).click()
      await page.getByLabel('Add a label').selectOption('app=one')
      await names(page, [web, job])
      await page.getByLabel('Order').selectOption('newest')
      await names(page, [job, web])
      await screenshot(page, 'chosen')
      await page.reload()
      await names(page, [job, web])
      await page.getByRole('button', { name: 'app=one 2' }).click()
      await names(page, [bad, job, web])
      assert.deepEqual(complaints, [])
    }))

  it('leads to a task by a link that survives a reload, and back', () =>
    shown(browser(), async ({ page }, bench, server) => {
      const [web, job] = await threeTasks(bench)
      await row(page, job).click()
      await page.getByTestId('state').getByText('exit code 0').waitFor()
      assert.equal(page.url(), `http://127.0.0.1:${server.port}/#task=${job}`)
      await page.reload()
      await page.getByTestId('state').getByText('exit code 0').waitFor()
      assert.equal(await row(page, job).getAttribute('aria-selected'), 'true')
      await row(page, web).click()
      await page.getByTestId('state').getByText('running').waitFor()
      await page.goBack()
      await page.getByText('Choose a task from the list.').waitFor()

      const link = await page.context().newPage()
      await link.goto(`${server.url}&task=${web}`)
      await link.getByTestId('state').getByText('running').waitFor()
      assert.equal(link.url(), `http://127.0.0.1:${server.port}/#task=${web}`)
      await bench.supervisor.tasks.get(web)?.destroy()
      await link.goto(`${server.url}&task=gone`)
      await link.getByText('There is no task gone here').waitFor()
      await link.getByRole('button', { name: 'All tasks' }).click()
      await link.getByText('Choose a task from the list.').waitFor()
    }))

  it('is gone through by keyboard, on a narrow screen without leaving it', () =>
    shown(
      browser(),
      async ({ page }, bench) => {
        const [web, job, bad] = await threeTasks(bench)
        await names(page, [web, bad, job])
        const list = page.getByRole('listbox')
        await list.focus()
        await page.keyboard.press('ArrowDown')
        await page.keyboard.press('ArrowDown')
        assert.equal(await list.getAttribute('aria-activedescendant'), `row-${bad}`)
        await page.keyboard.press('Enter')
        await page.getByTestId('state').getByText('exit code 3').waitFor()
        assert.equal(await list.isVisible(), false)
        await page.locator('h2:focus').waitFor()
        await page.keyboard.press('Escape')
        await page.locator('.rows:focus').waitFor()
        assert.equal(await page.getByTestId('state').isVisible(), false)
      },
      { viewport: { width: 390, height: 844 } },
    ))

  it('goes a step at each key, however fast they come', () =>
    shown(browser(), async ({ page }, bench) => {
      const last = (await threeTasks(bench))[0]
      await row(page, last).waitFor()
      const order = await page.locator('.rows .row').evaluateAll(rows => rows.map(one => one.dataset.key))
      await atOnce(page, '.rows', [key('ArrowDown'), key('ArrowDown'), key('ArrowDown')])
      await page.locator(`.row[data-key="${order[2]}"][aria-selected="true"]`).waitFor()
    }))

  it('waits, is empty, or says that nothing fits', () =>
    shown(browser(), async ({ page }, bench, server) => {
      await page.getByRole('listbox', { name: '0 tasks' }).getByText('No task yet.').waitFor()
      await page.getByText('Those that are started appear here.').waitFor()
      const [web] = await threeTasks(bench)
      await row(page, web).waitFor()
      const seen = await openPage(browser(), server.url.replace('#', '#search=nothing-of-the-kind&'))
      await seen.page.getByText('Nothing fits.').waitFor()
      await seen.page.getByRole('listbox').getByRole('button', { name: 'Show all' }).click()
      await row(seen.page, web).waitFor()
      await seen.page.context().close()
    }))
})

/** One that runs, one that has ended well and one that has not, in this order. */
async function threeTasks(bench: Workbench): Promise<[string, string, string]> {
  const web = bench.command('sleep', '1000')
  web.command.labels = { app: 'one' }
  const job = bench.shell('exit 0')
  job.command.labels = { app: 'one' }
  const bad = bench.shell('exit 3')
  await web.start()
  for (const task of [job, bad]) {
    await task.start()
    await task.wait()
  }
  return [web.key, job.key, bad.key]
}

/** The list shows these and no others, in this order. */
async function names(page: Page, keys: readonly string[]): Promise<void> {
  const rows = page.locator('.rows .row')
  for (const [index, key] of keys.entries())
    await page.locator(`.row[data-key="${key}"][aria-posinset="${index + 1}"]`).waitFor()
  await page
    .getByRole('listbox', { name: keys.length === 1 ? '1 task' : `${keys.length} tasks`, exact: true })
    .waitFor()
  assert.equal(await rows.count(), keys.length)
}
