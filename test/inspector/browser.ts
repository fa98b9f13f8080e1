import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type Browser,
  type BrowserContextOptions,
  chromium as playwright,
  type Locator,
  type Page,
} from 'playwright-core'
import { chromium } from '../support/requires.ts'

/** Ignored by git, kept by CI. */
const artifacts = fileURLToPath(new URL('../../artifacts/inspector/', import.meta.url))

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launch(): Promise<Browser> {
  if (chromium === undefined) throw new Error('there is no Chromium')
  return playwright.launch({ executablePath: chromium, args: flags, timeout: 60_000 })
}

export type Seen = {
  readonly page: Page
  /** What the page complained about: errors, refused scripts and styles, failed requests. */
  readonly complaints: string[]
  /** Every address the page asked for. */
  readonly asked: string[]
}

/** A page that is as patient as a busy machine asks for. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Seen> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1100 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const complaints: string[] = []
  const asked: string[] = []
  page.on('pageerror', error => complaints.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('dialog', dialog => {
    complaints.push(`dialog: ${dialog.message()}`)
    dialog.dismiss().catch((error: unknown) => complaints.push(String(error)))
  })
  page.on('request', request => asked.push(request.url()))
  // What the loader puts into functions that are sent to the page.
  await page.addInitScript('globalThis.__name = value => value')
  await page.goto(url)
  return { page, complaints, asked }
}

/** Of the page, or of a part of it. */
export async function screenshot(of: Pick<Page, 'screenshot'> | Locator, name: string): Promise<void> {
  mkdirSync(artifacts, { recursive: true })
  await of.screenshot({ path: `${artifacts}${name}.png` })
}
