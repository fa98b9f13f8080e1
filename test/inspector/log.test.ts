import { strict as assert } from 'node:assert'
import { screenshot } from './browser.ts'
import { atOnce, inBrowser, key, row, shown } from './shown.ts'

inBrowser("a log on the inspector's page", browser => {
  for (const [name, viewport] of [
    ['wide', { width: 1360, height: 900 }],
    ['narrow', { width: 390, height: 844 }],
  ] as const)
    it(`shows both streams in order with times, searches them and follows, ${name}`, () =>
      shown(
        browser(),
        async ({ page, complaints }, bench) => {
          // Each waits until what was before it must have been taken: two pipes have no order.
          const long = 'a line that is longer than any screen '.repeat(8)
          const task = bench.shell(
            `echo first; sleep 0.1; echo "${long}" >&2; sleep 0.1; i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo "number $i"; done; echo THE END; sleep 1000`,
          )
          await task.start()
          await row(page, task.key).click()
          const log = page.getByTestId('log')
          await log.getByText('THE END').waitFor()
          await page.getByTestId('line-count').getByText('3,003 lines').waitFor()
          const nodes = await log.locator('*').count()
          assert.ok(nodes < 1000, `${nodes} nodes for 3003 lines`)
          await page.getByLabel('times').setChecked(true)
          const [time = ''] = await log.locator('.window time').allInnerTexts()
          assert.match(time, /^\d\d:\d\d:\d\d\.\d\d\d$/)

          await log.focus()
          await page.keyboard.press('Home')
          await log.getByText('first', { exact: true }).waitFor()
          assert.equal(await page.getByLabel('follow').isChecked(), false, 'who goes back reads there')
          const begin = await log
            .locator('.window .line')
            .evaluateAll(lines =>
              lines.slice(0, 3).map(line => [line.className.trim(), line.lastChild?.textContent]),
            )
          assert.deepEqual(begin, [
            ['line stdout', 'first'],
            ['line stderr', long],
            ['line stdout', 'number 1'],
          ])
          // As high as it was reckoned to be: the next line begins where it ends.
          const text = await log.locator('.line.stderr .text').boundingBox()
          const next = await log.locator('.window .line').nth(2).boundingBox()
          assert.ok(text && next && Math.abs(text.y + text.height - next.y) < 1, JSON.stringify([text, next]))
          await screenshot(page, `log-${name}`)

          await page.getByLabel('Search the log').fill('NUMBER 15')
          await page.getByTestId('found').getByText('111 found').waitFor()
          await page.keyboard.press('Enter')
          await log.locator('.line.current').getByText('number 15', { exact: true }).waitFor()
          await page.keyboard.press('Shift+Enter')
          await page.getByTestId('found').getByText('111 of 111').waitFor()
          await log.locator('.line.current mark').waitFor()
          await screenshot(page, `log-search-${name}`)
          await page.getByRole('button', { name: 'stderr' }).click()
          await page.getByTestId('line-count').getByText('1 line', { exact: true }).waitFor()
          await page.getByRole('button', { name: 'both' }).click()
          await page.getByLabel('follow').setChecked(true)
          await log.getByText('THE END').waitFor()
          const wide = await page.locator('html').evaluate(html => html.scrollWidth - html.clientWidth)
          assert.ok(wide <= 0, `${wide} pixels to the right`)
          assert.deepEqual(complaints, [])
        },
        { viewport },
      ))

  it('goes to what was found at a key that comes before the page has rested', () =>
    shown(browser(), async ({ page }, bench) => {
      const task = bench.shell('echo one; echo two; echo three; sleep 1000')
      await task.start()
      await row(page, task.key).click()
      await page.getByTestId('log').getByText('three').waitFor()
      const typed = `(element.value = 'two', new Event('input', { bubbles: true }))`
      await atOnce(page, 'input[aria-label="Search the log"]', [typed, key('Enter')])
      await page.getByTestId('found').getByText('1 of 1').waitFor()
    }))

  it('follows a task that prints 5,000 lines a second, and shows its last line with none left out', () =>
    shown(browser(), async ({ page, complaints }, bench) => {
      const each = 'process.stdout.write(`line ${lines} of many ${"-".repeat(80)}\\n`.repeat(100))'
      const script = `let lines = 0; setInterval(() => {}, 1000); process.on("SIGUSR2", () => { const began = Date.now(); const timer = setInterval(() => {
        for (; lines < 5 * (Date.now() - began) && lines < 15000; lines += 100) ${each}
        if (lines === 15000) { clearInterval(timer); console.log("THE END") }
      }, 10) }); console.log("ready")`
      const task = bench.command(process.execPath, '-e', script)
      await task.start()
      await row(page, task.key).click()
      const log = page.getByTestId('log')
      await log.getByText('ready').waitFor()
      await task.signal('SIGUSR2')
      await log.getByText('THE END').waitFor()
      await page.getByTestId('line-count').getByText('15,002 lines').waitFor()
      assert.equal(await page.locator('p.skipped').count(), 0)
      const nodes = await log.locator('*').count()
      assert.ok(nodes < 1000, `${nodes} nodes for 15,002 lines`)
      assert.deepEqual(complaints, [])
    }))
})
