import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { lastValueFrom, toArray } from 'rxjs'
import { openLogForReading, tailPlace } from '../../src/task/log-reader.ts'
import { type LogSource, logStream } from '../../src/task/log-stream.ts'

describe('reading logs', () => {
  let base: string
  const path = 'alloc/logs/task.stdout'

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'holdfast-logs-'))
    mkdirSync(join(base, 'alloc/logs'), { recursive: true })
  })

  afterEach(() => rmSync(base, { recursive: true }))

  const content = (): string | null => {
    const fd = openLogForReading({ base, path })
    if (fd === null) return null
    try {
      return readFileSync(fd, 'utf8')
    } finally {
      closeSync(fd)
    }
  }

  it('reads a plain file, and says when there is none', () => {
    assert.equal(content(), null)
    writeFileSync(join(base, path), 'hello')
    assert.equal(content(), 'hello')
  })

  it('refuses a link planted in place of the log', () => {
    writeFileSync(join(base, 'secret'), 'secret')
    symlinkSync(join(base, 'secret'), join(base, path))
    assert.throws(content, { code: 'PERMISSION' })
  })

  it('refuses a link planted in place of a directory on the way', () => {
    mkdirSync(join(base, 'elsewhere'))
    writeFileSync(join(base, 'elsewhere/task.stdout'), 'secret')
    rmSync(join(base, 'alloc/logs'), { recursive: true })
    symlinkSync(join(base, 'elsewhere'), join(base, 'alloc/logs'))
    assert.throws(content, { code: 'PERMISSION' })
  })

  it('neither waits for nor reads a FIFO in place of the log', () => {
    execFileSync('mkfifo', [join(base, path)])
    assert.throws(content, { code: 'UNSUPPORTED' })
  })

  it('finds the last lines of any text', () => {
    const file = join(base, 'text')
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', '\n')).map(parts => parts.join('')),
        fc.nat(6),
        (text, lines) => {
          writeFileSync(file, text)
          const fd = openSync(file, 'r')
          const got = text.slice(tailPlace([fd], lines).offset)
          closeSync(fd)
          const all = text.split(/(?<=\n)/).filter(line => line !== '')
          assert.equal(got, lines === 0 ? '' : all.slice(-lines).join(''))
        },
      ),
    )
  })

  it('finds the last lines across the blocks it reads by', () => {
    const file = join(base, 'text')
    const text = `${'x'.repeat(70_000)}\n${'y'.repeat(70_000)}\nend\n`
    writeFileSync(file, text)
    const fd = openSync(file, 'r')
    assert.equal(text.slice(tailPlace([fd], 2).offset), `${'y'.repeat(70_000)}\nend\n`)
    closeSync(fd)
  })

  describe('as a stream', () => {
    let end: () => void
    let writing: boolean
    let source: LogSource

    beforeEach(() => {
      writing = true
      const hearers = new Set<() => void>()
      end = () => {
        writing = false
        for (const heard of hearers) heard()
      }
      source = {
        target: () => ({ base, path }),
        files: () => 1,
        writing: () => writing,
        onEnd: heard => {
          hearers.add(heard)
          return () => hearers.delete(heard)
        },
        hold: () => () => {},
      }
    })

    const all = async (options: Parameters<typeof logStream>[1]): Promise<string> =>
      Buffer.concat(await lastValueFrom(logStream(source, options).pipe(toArray()))).toString()

    it('gives what is there and completes, without follow', async () => {
      writeFileSync(join(base, path), 'one\ntwo\n')
      assert.equal(await all({}), 'one\ntwo\n')
      assert.equal(await all({ tail: 1 }), 'two\n')
      assert.equal(await all({ fromStart: false }), '')
    })

    it('completes at once for a log that was never written', async () => {
      assert.equal(await all({}), '')
    })

    it('follows a log that comes later, to the last byte before the end', async () => {
      const text = all({ follow: true })
      await new Promise(resolve => setImmediate(resolve))
      writeFileSync(join(base, path), 'one\n')
      appendFileSync(join(base, path), 'x'.repeat(3_000_000))
      end()
      assert.equal((await text).length, 3_000_004)
    })

    /** What this process holds open below the test's directory: other tests may come and go meanwhile. */
    const openHere = (): string[] =>
      readdirSync('/proc/self/fd').flatMap(fd => {
        try {
          return [readlinkSync(`/proc/self/fd/${fd}`)].filter(target => target.startsWith(base))
        } catch {
          return []
        }
      })

    it('lets go of the file when nobody listens any more', async () => {
      writeFileSync(join(base, path), 'one\n')
      const before = openHere()
      for (let round = 0; round < 50; round++) logStream(source, { follow: true }).subscribe().unsubscribe()
      for (let turns = 0; turns < 100 && openHere().length > before.length; turns++)
        await new Promise(resolve => setImmediate(resolve))
      assert.deepEqual(openHere(), before)
    })
  })

  it('reads a hard link of a plain file, since writing it was refused before', () => {
    writeFileSync(join(base, 'other'), 'x')
    linkSync(join(base, 'other'), join(base, path))
    assert.equal(content(), 'x')
  })
})
