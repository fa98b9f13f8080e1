import { strict as assert } from 'node:assert'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironmentFile, withEnvironmentFiles } from '../../../src/cli/files/environment-file.ts'
import { AllocDir } from '../../../src/index.ts'
import { parseFilters } from '../../../src/cli/parse/filter.ts'
import { parseLabels } from '../../../src/cli/parse/label.ts'
import { parseUlimit } from '../../../src/cli/parse/ulimit.ts'
import { parseUser } from '../../../src/cli/parse/user.ts'
import { removeTemporary, temporaryDirectory } from '../../support/temporary.ts'

function refuses(parse: (text: string) => unknown, flag: string, ...texts: string[]): void {
  for (const text of texts)
    assert.throws(
      () => parse(text),
      { code: 'INVALID_ARGUMENT', message: new RegExp(`^${flag}: got `) },
      text,
    )
}

describe('the flags of a task', () => {
  it('--user takes a user, and a group after a colon', () => {
    assert.deepEqual(parseUser('web'), { user: 'web' })
    assert.deepEqual(parseUser('1000:1000'), { user: '1000', group: '1000' })
    assert.deepEqual(parseUser('web:www-data'), { user: 'web', group: 'www-data' })
    refuses(parseUser, '--user', '', ':', ':1', 'a:', 'a:b:c')
  })

  it('--ulimit takes one value for both, or soft and hard; unlimited by either word', () => {
    assert.deepEqual(parseUlimit('nofile=1024'), { nofile: 1024 })
    assert.deepEqual(parseUlimit('NOFILE=1024:4096'), { nofile: [1024, 4096] })
    assert.deepEqual(parseUlimit('core=0:unlimited'), { core: [0, Number.POSITIVE_INFINITY] })
    assert.deepEqual(parseUlimit('stack=-1'), { stack: Number.POSITIVE_INFINITY })
    refuses(
      parseUlimit,
      '--ulimit',
      '',
      'nofile',
      'nofile=',
      '=1',
      'nofile=1:',
      'nofile=x',
      'nofile=1:2:3',
      '__proto__=1',
    )
  })

  it('--label takes a name and a value, which may be empty or hold another =', () => {
    const labels = parseLabels(['app=web', 'empty=', 'sum=1+1=2', 'app=db'])
    assert.deepEqual(labels, { app: 'db', empty: '', sum: '1+1=2' })
    refuses(text => parseLabels([text]), '--label', '', 'app', '=web')
  })

  it('--filter: labels are conditions, names and states alternatives', () => {
    const task = { name: 'web', state: 'running', labels: { app: 'shop', tier: '' } } as const
    const fits = (...texts: string[]): boolean => parseFilters(texts)(task)
    assert.ok(fits())
    assert.ok(fits('label=app', 'label=app=shop', 'label=tier='))
    assert.ok(fits('state=exited', 'state=running', 'name=web', 'name=db'))
    for (const texts of [
      ['label=app=sho'],
      ['label=app', 'label=other'],
      ['label=toString'],
      ['name=we'],
      ['state=exited'],
    ])
      assert.ok(!fits(...texts), texts.join())
    refuses(text => parseFilters([text]), '--filter', '', 'label', 'label=', 'status=running', 'state=ran')
  })

  describe('--env-file', () => {
    let dir: string
    beforeEach(() => {
      dir = temporaryDirectory('env-file')
    })
    afterEach(() => removeTemporary(dir))

    it('is a variable a line, as it stands; comments and empty lines say nothing', () => {
      const path = join(dir, 'env')
      writeFileSync(path, '# words\n\nA=1\r\n  # more\nB="quoted $A"\nC=\nHOME\n')
      assert.deepEqual(readEnvironmentFile(path), ['A=1', 'B="quoted $A"', 'C=', 'HOME'])
    })

    it('has no names with white space, of a script or of a secret of several lines; the line is not told', () => {
      const path = join(dir, 'env')
      writeFileSync(path, '  A=a b\n\tB=\n')
      assert.deepEqual(readEnvironmentFile(path), ['A=a b', 'B='])
      for (const line of ['export C=3', 'C =3', 'HOME ', '-----BEGIN PRIVATE KEY-----']) {
        writeFileSync(path, `A=1\n\n${line}\n`)
        assert.throws(() => readEnvironmentFile(path), {
          code: 'INVALID_ARGUMENT',
          message: `--env-file: ${JSON.stringify(path)}, line 3: white space in the name; takes NAME=VALUE or NAME`,
          hint: /^write it without "export"/,
        })
      }
    })

    it('stands behind --env', () => {
      const path = join(dir, 'env')
      writeFileSync(path, 'A=file\nB=file\n')
      assert.deepEqual(withEnvironmentFiles([path], { A: 'flag' }), { A: 'flag', B: 'file' })
    })

    it('is not read through a link that a task could have planted; control: a link of our own is followed', async () => {
      const alloc = new AllocDir(join(dir, 'alloc'))
      await alloc.build(['web'])
      writeFileSync(join(dir, 'secret'), 'SECRET=1\n')
      const [planted, own] = [join(alloc.sharedDir, 'env'), join(dir, 'own')]
      symlinkSync(join(dir, 'secret'), planted)
      symlinkSync(join(dir, 'secret'), own)
      assert.throws(() => readEnvironmentFile(planted), { code: 'PERMISSION' })
      assert.deepEqual(readEnvironmentFile(own), ['SECRET=1'])
    })

    it('that cannot be read is named: missing, a directory, bytes that are no UTF-8', () => {
      mkdirSync(join(dir, 'directory'))
      writeFileSync(join(dir, 'bytes'), Buffer.from([0x41, 0x3d, 0xe9]))
      for (const name of ['missing', 'directory', 'bytes'])
        assert.throws(() => readEnvironmentFile(join(dir, name)), {
          code: 'INVALID_ARGUMENT',
          message: new RegExp(`^--env-file: ".*${name}" cannot be read: `),
        })
    })
  })
})
