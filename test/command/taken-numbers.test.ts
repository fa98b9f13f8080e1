import { strict as assert } from 'node:assert'
import { chmodSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isTaken, type NumberSources } from '../../src/command/taken-numbers.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const first = 1_879_048_192

describe('numbers that are taken', () => {
  let directory: string
  let sources: NumberSources
  beforeEach(() => {
    directory = temporaryDirectory('numbers')
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    }
    sources = {
      passwd: file('passwd', 'alice:x:1000:1001::/:/bin/sh\n'),
      group: file('group', 'wheel:x:10:\n'),
      subordinates: [file('subuid', 'alice:100000:65536\n')],
      nsswitch: file('nsswitch.conf', 'passwd: files ldap\ngroup: files ldap\n'),
      getent: join(directory, 'getent'),
    }
  })
  afterEach(() => removeTemporary(directory))

  /** `body` answers $database and $number for each number that is asked for. */
  const answering = (body: string): void => {
    const script = `#!/bin/sh
      echo "$*" >>${directory}/asked
      database=$1; shift; code=0
      for number; do ${body}; done; exit $code
    `
    writeFileSync(join(directory, 'getent'), script)
    chmodSync(join(directory, 'getent'), 0o755)
  }
  const questions = (): string[] => readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n')
  const found = (database: string, number: number): string =>
    `case $database$number in ${database}${number}) echo "bob:x:$number:" ;; *) code=2 ;; esac`

  it('by the files, without asking anybody', async () => {
    for (const number of [1000, 1001, 10, 100_000, 165_535])
      assert.ok(await isTaken(number, sources), `${number}`)
  })

  it('by the name services, which are asked once for those that follow one another', async () => {
    answering(found('passwd', first + 5))
    const taken: number[] = []
    for (let number = first; number < first + 16; number++)
      if (await isTaken(number, sources)) taken.push(number - first)
    assert.deepEqual(taken, [5])
    assert.equal(questions().length, 2)
    assert.equal(await isTaken(first + 16, sources), false)
    assert.equal(questions().length, 4)
  })

  it('by their groups, too; other services are asked anew', async () => {
    answering(found('group', first + 1))
    assert.equal(await isTaken(first + 1, sources), true)
    answering(found('group', first + 2))
    utimesSync(sources.nsswitch, 1, 1)
    assert.equal(await isTaken(first + 1, sources), false)
  })

  for (const [how, body] of Object.entries({
    'answers with something else': `[ $# -gt 1 ] && echo rubbish || ${found('passwd', first)}`,
    'fails at so many': `[ $# -gt 1 ] && code=1 || ${found('passwd', first)}`,
  }))
    it(`where a getent ${how}: asks for each by itself`, async () => {
      answering(body)
      assert.equal(await isTaken(first, sources), true)
      assert.equal(await isTaken(first + 1, sources), false)
    })

  it('where there is no getent nobody else knows', async () => {
    assert.equal(await isTaken(first, { ...sources, getent: join(directory, 'none') }), false)
  })
})
