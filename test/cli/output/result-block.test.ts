import { strict as assert } from 'node:assert'
import { endingText } from '../../../src/cli/output/ending.ts'
import { enforcementText, resultBlock, shortfalls } from '../../../src/cli/output/result-block.ts'
import { resultDocument } from '../../../src/cli/output/result-document.ts'
import { colorsFor } from '../../../src/cli/output/terminal.ts'
import { HoldfastError, type Cause, type WaitResult } from '../../../src/index.ts'
import { resultOf, rowOf, uncounted } from './results.ts'

const plain = colorsFor({ isTTY: false })
const blockOf = (result: Partial<WaitResult>, name = 'web'): string[] =>
  resultBlock({ name, key: 'mkey', result: resultOf(result), enforcement: [] }, plain)
    .trimEnd()
    .split('\n')

const used = {
  ...{ cpuUserMs: 300, cpuSystemMs: 21, maxRssBytes: 2 ** 20 },
  ...{ memoryPeakBytes: 127 * 2 ** 19, memoryLimitBytes: 2 ** 26 },
}

describe('how a task ended, in words', () => {
  const killed = { exitCode: null, signal: 'SIGKILL' } as const
  const endings: readonly (readonly [Partial<WaitResult>, string])[] = [
    [{}, 'exited with code 0 after 1.5 s'],
    [{ exitCode: 3 }, 'exited with code 3 after 1.5 s'],
    [{ ...killed, cause: 'signaled' }, 'was ended by SIGKILL after 1.5 s'],
    [{ ...killed, signal: 'SIGSEGV', coreDumped: true }, 'was ended by SIGSEGV, dumping core after 1.5 s'],
    [{ ...killed, cause: 'oom' }, 'was ended by SIGKILL (out of memory) after 1.5 s'],
    [
      { ...killed, cause: 'oom', usage: used },
      'was ended by SIGKILL (ran out of memory: limit 64 MiB, peak 63.5 MiB) after 1.5 s',
    ],
    [{ ...killed, cause: 'forced' }, 'was ended by SIGKILL (killed by force) after 1.5 s'],
    [{ ...killed, cause: 'timeout' }, 'was ended by SIGKILL (its time was up) after 1.5 s'],
    [{ ...killed, cause: 'output' }, 'was ended by SIGKILL (it gave more output than allowed) after 1.5 s'],
    [{ exitCode: 7, cause: 'shutdown' }, 'exited with code 7 (stopped as asked) after 1.5 s'],
    [{ exitCode: null, cause: 'startFailed', startedAt: null, exitedAt: null }, 'did not start'],
    [{ exitCode: null, cause: 'lost', exitedAt: null }, 'has ended, nobody knows how'],
  ]
  for (const [result, text] of endings) it(text, () => assert.equal(endingText(resultOf(result)), text))

  it('there are words for each cause', () => {
    const causes: Record<Cause, true> = {
      ...{ exited: true, signaled: true, shutdown: true, forced: true, oom: true, timeout: true },
      ...{ startFailed: true, lost: true, output: true },
    }
    const told = new Set(endings.map(([{ cause = 'exited' }]) => cause))
    assert.deepEqual([...told].sort(), Object.keys(causes).sort())
  })
})

describe('the block at the end of a run', () => {
  it('is one line and what was enforced, where there is no more to say', () => {
    assert.deepEqual(blockOf({}), [
      'holdfast: web exited with code 0 after 1.5 s [mkey]',
      '  enforced  nothing: neither limits nor isolation',
    ])
  })

  it('tells what it used, and that the kernel has killed, with or without a count', () => {
    const usage = { ...used, maxRssBytes: 2 ** 26, memoryPeakBytes: null, memoryLimitBytes: null }
    assert.equal(blockOf({ usage })[1], '  used      321 ms of cpu, 64 MiB of memory at most')
    const killed = 'the kernel killed a process of it for memory'
    assert.ok(blockOf({ usage, oomKilled: true })[1]?.endsWith(`, ${killed}`))
    assert.equal(blockOf({ oomKilled: true })[1], `  used      ${killed}`)
    assert.equal(
      blockOf({ usage: used, oomKilled: true })[1],
      `  used      321 ms of cpu, 63.5 MiB of memory at most, ${killed} (limit 64 MiB, peak 63.5 MiB)`,
    )
  })

  it('tells which limits held it up, and nothing of those that did not', () => {
    const none = { ...uncounted, pidsRefused: 0, memoryHigh: 0, throttledMs: 0, egressDenied: 0 }
    assert.equal(blockOf({ limitsHit: { ...none, logBytesDropped: 0 } }).length, 2)
    const all = { pidsRefused: 1, memoryHigh: 2, throttledMs: 1500, egressDenied: 1, logBytesDropped: 2048 }
    assert.equal(
      blockOf({ limitsHit: { ...none, ...all } })[1],
      '  limits    once refused another process, 2 times out of memory to take, kept from the processor for 1.5 s, once refused a connection, 2 KiB of output not kept',
    )
  })

  it('tells of an error with its mend, and of output that may be missing', () => {
    const error = new HoldfastError('LOST', 'the shim was killed\x1b[2J', { hint: 'look at dmesg' })
    assert.deepEqual(blockOf({ error, logsComplete: false }).slice(2), [
      '  error     the shim was killed\\x1b[2J',
      '  hint      look at dmesg',
      '  logs      may lack the last of what it printed',
    ])
  })

  it('obeys nothing that a name says', () => {
    assert.match(blockOf({}, 'a\u202eb\x1b]0;x\x07')[0] ?? '', /: a\\u\{202e\}b\\x1b\]0;x\\x07 exited/)
  })

  it('is green where it went well, else red', () => {
    const colors = colorsFor({ isTTY: true }, { TERM: 'xterm' })
    const of = (exitCode: number): string =>
      resultBlock({ name: 'web', key: 'mkey', result: resultOf({ exitCode }), enforcement: [] }, colors)
    assert.ok(of(0).startsWith('\x1b[32mholdfast:') && of(1).startsWith('\x1b[31mholdfast:'))
  })
})

describe('what became of limits', () => {
  const rows = [
    rowOf('pids', '32'),
    rowOf('cpuLimit', '0.5', {
      status: 'skipped',
      reason: 'no controller\x07',
      hint: 'mount\x07 it',
      chosen: false,
    }),
    rowOf('memoryBytes', '1024', { status: 'weakened', reason: 'swap', chosen: false }),
  ]

  it('is a line each, and a line for what would change it, none of it obeyed by a terminal', () => {
    assert.deepEqual(enforcementText(rows, plain), [
      '  enforced  pids 32',
      '  skipped   0.5 cpus: no controller\\x07',
      '  hint      mount\\x07 it',
      '  weakened  memory 1 KiB: swap',
    ])
  })

  it('of a task that goes on is told only where it is less than was asked for', () => {
    assert.equal(shortfalls(rows.slice(0, 1), plain), '')
    const [head, ...rest] = shortfalls(rows, plain).trimEnd().split('\n')
    assert.equal(head, 'holdfast: this host cannot enforce all that was asked for')
    assert.deepEqual(rest, enforcementText(rows, plain).slice(1))
  })
})

describe('a result as a document', () => {
  it('has every field of the result, the task, the rows, and an error as a failed command prints it', () => {
    const error = new HoldfastError('START_FAILED', 'no', { stage: 'exec', errno: 'ENOENT', hint: 'x' })
    const result = resultOf({ error, exitCode: null, cause: 'startFailed' })
    const rows = [rowOf('pids', '32')]
    const document = resultDocument({ key: 'mkey', name: 'web', id: 'id' }, result, rows)
    assert.deepEqual(document, {
      ...{ task: { key: 'mkey', name: 'web' }, id: 'id' },
      ...result,
      error: { code: 'START_FAILED', message: 'no', stage: 'exec', errno: 'ENOENT', hint: 'x' },
      enforcement: rows,
    })
  })
})
