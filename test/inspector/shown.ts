import type { Browser, Page } from 'playwright-core'
import { type Inspector, inspector } from '../../src/inspector/index.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'
import { openPage, type Seen } from './browser.ts'

/** A page of an inspector of its own. */
export async function shown(
  browser: Browser,
  body: (seen: Seen, bench: Workbench, server: Inspector) => Promise<void>,
  options: Parameters<typeof openPage>[2] = {},
): Promise<void> {
  await withWorkbench('basic', async bench => {
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
