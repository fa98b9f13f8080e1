import { strict as assert } from 'node:assert'
import { appendFileSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EgressDecision } from '../../src/api.ts'
import { egressLogFiles, egressLogName, egressStream, readEgressHistory } from '../../src/task/egress.ts'
import type { LogSource } from '../../src/task/log-stream.ts'
import { eventually } from '../support/eventually.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const decision = (host: string, others: object = {}) =>
  `${JSON.stringify({ at: 1_700_000_000_000, host, port: 443, allowed: true, ...others })}\n`

/** What a hostile task, or a shim that died amid a line, may have put there. */
const junk = [
  'no json',
  '',
  '[]',
  'null',
  '7',
  '{"at":1,"host":"a.test","port":"443","allowed":true}',
  '{"at":1,"host":"a.test","port":1.5,"allowed":true}',
  '{"at":1,"host":7,"port":443,"allowed":true}',
  '{"at":1,"host":"a.test","port":443,"allowed":"yes"}',
  '{"at":"soon","host":"a.test","port":443,"allowed":true}',
  '{"at":1e300,"host":"a.test","port":443,"allowed":true}',
  '{"at":1,"host":"a.test","port":44',
]

describe('what was decided about the destinations of a task', () => {
  let dir = ''
  beforeEach(() => (dir = temporaryDirectory('egress')))
  afterEach(() => removeTemporary(dir))

  const current = () => join(dir, egressLogName)
  const hosts = () => readEgressHistory(dir).map(entry => entry.host)

  describe('in its history', () => {
    it('is nothing where there are no rules', () => {
      assert.deepEqual(readEgressHistory(dir), [])
      assert.deepEqual(readEgressHistory(join(dir, 'absent')), [])
    })

    it('is an entry for each, with what was asked for and what came of it', () => {
      writeFileSync(current(), decision('a.test') + decision('b.test', { port: 22, allowed: false }))
      assert.deepEqual(readEgressHistory(dir)[1], {
        sequence: null,
        at: new Date(1_700_000_000_000),
        from: 'running',
        to: 'running',
        event: 'EGRESS',
        host: 'b.test',
        port: 22,
        allowed: false,
      })
    })

    it('begins with what was rotated away', () => {
      writeFileSync(`${current()}.1`, decision('old.test'))
      writeFileSync(current(), decision('new.test'))
      assert.deepEqual(hosts(), ['old.test', 'new.test'])
    })

    it('leaves out what is no decision, and nothing else', () => {
      writeFileSync(current(), [decision('a.test'), ...junk.map(line => `${line}\n`)].join(''))
      appendFileSync(current(), decision('z.test'))
      assert.deepEqual(hosts(), ['a.test', 'z.test'])
    })

    for (const [what, put] of [
      ['a directory', (path: string) => mkdirSync(path)],
      ['a link to nothing', (path: string) => symlinkSync('/absent/of/holdfast', path)],
      [
        'a file of more than two can hold',
        (path: string) => {
          writeFileSync(path, decision('huge.test'))
          truncateSync(path, 3 * 1024 * 1024)
        },
      ],
    ] as const)
      it(`reads nothing from ${what} in its place, and the other file all the same`, () => {
        writeFileSync(`${current()}.1`, decision('old.test'))
        put(current())
        assert.deepEqual(hosts(), ['old.test'])
      })
  })

  describe('as a stream', () => {
    let writing: boolean
    let ends: Set<() => void>
    let holders: number
    beforeEach(() => {
      writing = true
      ends = new Set()
      holders = 0
    })

    const source: () => LogSource = () => ({
      target: () => ({ base: null, path: current() }),
      files: () => egressLogFiles,
      writing: () => writing,
      onEnd: ended => {
        ends.add(ended)
        return () => ends.delete(ended)
      },
      hold: () => {
        holders++
        return () => {
          holders--
        }
      },
    })
    const end = () => {
      writing = false
      for (const ended of ends) ended()
    }
    async function hostsOf(stream: AsyncIterable<EgressDecision>): Promise<string[]> {
      const found: string[] = []
      for await (const { host } of stream) found.push(host)
      return found
    }

    it('tells of all that is kept and ends with the task', async () => {
      writeFileSync(`${current()}.1`, decision('old.test'))
      writeFileSync(current(), decision('new.test'))
      writing = false
      assert.deepEqual(await hostsOf(egressStream(source)), ['old.test', 'new.test'])
      assert.equal(holders, 0)
    })

    it('tells of those that come, once, a line that comes in two pieces as well', async () => {
      const heard: string[] = []
      const [begin, rest] = [decision('grüße.test').slice(0, 40), decision('grüße.test').slice(40)]
      const done = new Promise<void>(resolve =>
        egressStream(source).subscribe({ next: ({ host }) => heard.push(host), complete: resolve }),
      )
      writeFileSync(current(), decision('a.test') + begin)
      await eventually(() => assert.deepEqual(heard, ['a.test']))
      appendFileSync(current(), rest)
      await eventually(() => assert.deepEqual(heard, ['a.test', 'grüße.test']))
      end()
      await done
      assert.deepEqual(heard, ['a.test', 'grüße.test'])
    })

    it('takes a letter of several bytes that comes in two pieces', async () => {
      const bytes = Buffer.from(decision('ü.test'))
      const middle = bytes.indexOf(Buffer.from('ü')) + 1
      const heard: string[] = []
      const done = new Promise<void>(resolve =>
        egressStream(source).subscribe({ next: ({ host }) => heard.push(host), complete: resolve }),
      )
      writeFileSync(current(), Buffer.concat([Buffer.from(decision('a.test')), bytes.subarray(0, middle)]))
      await eventually(() => assert.deepEqual(heard, ['a.test']))
      appendFileSync(current(), bytes.subarray(middle))
      await eventually(() => assert.deepEqual(heard, ['a.test', 'ü.test']))
      end()
      await done
    })

    it('goes on after a rotation', async () => {
      writeFileSync(current(), decision('one.test'))
      const heard: string[] = []
      const done = new Promise<void>(resolve =>
        egressStream(source).subscribe({ next: ({ host }) => heard.push(host), complete: resolve }),
      )
      await eventually(() => assert.deepEqual(heard, ['one.test']))
      renameSync(current(), `${current()}.1`)
      writeFileSync(current(), decision('two.test'))
      end()
      await done
      assert.deepEqual(heard, ['one.test', 'two.test'])
    })

    it('leaves out what is no decision', async () => {
      writeFileSync(current(), [...junk, decision('z.test')].join('\n'))
      writing = false
      assert.deepEqual(await hostsOf(egressStream(source)), ['z.test'])
    })

    it('asks for its source when somebody reads, and lets go when nobody does', async () => {
      let asked = 0
      const stream = egressStream(() => {
        asked++
        return source()
      })
      assert.equal(asked, 0)
      const subscription = stream.subscribe()
      await eventually(() => assert.deepEqual([asked, holders], [1, 1]))
      subscription.unsubscribe()
      await eventually(() => assert.deepEqual([holders, ends.size], [0, 0]))
    })
  })
})
