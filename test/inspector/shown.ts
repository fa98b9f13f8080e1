import type { Browser, Page } from 'playwright-core'
import { requires } from '../support/requires.ts'
import type { PlatformName } from '../../src/index.ts'
import { type Inspector, inspector } from '../../src/inspector/index.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { launch, openPage, type Seen } from './browser.ts'

/** Tests that share a browser, and are as patient as one on a busy machine asks for. */
export function inBrowser(title: string, tests: (browser: () => Browser) => void): void {
  describe(title, function () {
    this.timeout(120_000)
    let browser: Browser

    before(async function () {
      requires(this, 'page', 'chromium')
      browser = await launch()
    })
    after(() => browser?.close())

    tests(() => browser)
  })
}

/** A page of an inspector of its own. */
export async function shown(
  browser: Browser,
  body: (seen: Seen, bench: Workbench, server: Inspector) => Promise<void>,
  { platform = 'basic', ...options }: Parameters<typeof openPage>[2] & { platform?: PlatformName } = {},
): Promise<void> {
  await withWorkbench(platform, async bench => {
    // A task that the page has asked to end has the time that the test takes.
    const supervisor = bench.another({ shutdown: { signal: 'SIGTERM', graceMs: 60_000 } })
    const server = await inspector({ supervisor })
    const seen = await openPage(browser, server.url, options)
    try {
      await body(seen, bench, server)
    } finally {
      await seen.page.context().close()
      await server.close()
    }
  })
}

export function row(page: Page, key: string) {
  return page.locator(`.row[data-key="${key}"]`)
}

/**
 * Sends events to an element, each when what the one before has changed is on the page and before anything
 * else of the page runs, as they come to one that is busy. `events`: JavaScript, one expression each.
 */
export async function atOnce(page: Page, selector: string, events: readonly string[]): Promise<void> {
  const sent = events.map(event => `element.dispatchEvent(${event}); await undefined; await undefined`)
  const element = `const element = document.querySelector(${JSON.stringify(selector)})`
  await page.evaluate(`(async () => { ${[element, ...sent].join('\n')} })()`)
}

export function key(name: string): string {
  return `new KeyboardEvent('keydown', { key: ${JSON.stringify(name)}, bubbles: true, cancelable: true })`
}
