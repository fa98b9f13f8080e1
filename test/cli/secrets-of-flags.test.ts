import { strict as assert } from 'node:assert'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSecrets, refuseShownSecrets } from '../../src/cli/files/secrets.ts'
import { temporaryDirectory } from '../support/temporary.ts'

describe('--secret', () => {
  it('takes a file by its bytes, with all that stands in its path, and a variable by its name', () => {
    const file = join(temporaryDirectory('secret'), 'a=b')
    writeFileSync(file, Buffer.of(0, 255, 10))
    assert.deepEqual(parseSecrets([`key=${file}`, 'TOKEN'], { TOKEN: 'x=y' }), {
      key: Buffer.of(0, 255, 10),
      TOKEN: 'x=y',
    })
  })

  it('reads no more of an endless file than is needed to refuse it', () => {
    const { endless } = parseSecrets(['endless=/dev/zero'])
    assert.equal(endless?.length, (1 << 20) + 1)
  })

  const refused: readonly (readonly [entry: string, message: RegExp])[] = [
    ['', /^--secret: a secret has no name; takes NAME=FILE/],
    ['=/etc/passwd', /^--secret: a secret has no name; takes NAME=FILE/],
    ['TOKEN', /^--secret: "TOKEN" is not set here; takes NAME=FILE/],
    ['a=/no/such/file', /^--secret: "\/no\/such\/file" cannot be read: ENOENT/],
    ['a=/', /^--secret: "\/" cannot be read: EISDIR/],
  ]
  for (const [entry, message] of refused)
    it(`${JSON.stringify(entry)} is refused`, () => {
      assert.throws(() => parseSecrets([entry], {}), { code: 'INVALID_ARGUMENT', message })
    })

  it('a variable that is a secret is refused as a variable of the task, and a file of that name is not', () => {
    assert.throws(() => refuseShownSecrets(['a=/x', 'TOKEN'], { TOKEN: 'x' }), {
      code: 'INVALID_ARGUMENT',
      message: /^--secret TOKEN: --env or --env-file gives the task the same/,
    })
    refuseShownSecrets(['TOKEN=/x', 'OTHER'], { TOKEN: 'x' })
    refuseShownSecrets(['constructor'])
  })
})
