import { linuxMode, linuxModes, whereRun } from '../../support/host-mode.ts'

type Count = { passed: number; failed: number; skipped: number; reasons: string[] }

const counts = new Map<string, Count>()

/**
 * Call it in an adapter's describe(): counts its tests, those of later describe()s of the same adapter
 * included.
 */
export function counted(title: string): void {
  const count = counts.get(title) ?? { passed: 0, failed: 0, skipped: 0, reasons: [] }
  counts.set(title, count)
  afterEach(function () {
    if (this.currentTest?.state === 'passed') count.passed++
    else if (this.currentTest?.state === 'failed') count.failed++
    else count.skipped++
  })
}

/** The adapter, or a part of what it promises, cannot run here. */
export function skippedBecause(title: string, reason: string): void {
  counts.get(title)?.reasons.push(reason)
}

/** What ran of the contract, for every adapter there is, and where the others do. */
function reportLines(): string[] {
  const elsewhere = linuxModes
    .filter(mode => mode !== linuxMode())
    .map(mode => line(mode, `not run here; run ${whereRun[mode]}`))
  const here = [...counts].map(([title, { passed, failed, skipped, reasons }]) => {
    const why = [...new Set(reasons)].join('; ')
    const ran = passed + failed > 0 ? `${passed} passed, ${failed} failed, ${skipped} skipped` : 'skipped'
    return line(title, why === '' ? ran : `${ran}; what needs another host: ${why}`)
  })
  return [...here, ...elsewhere]
}

function line(title: string, what: string): string {
  return `CONTRACT ${title.padEnd(28)} ${what}`
}

after(() => {
  if (counts.size > 0) process.stdout.write(`\n${reportLines().join('\n')}\n`)
})
