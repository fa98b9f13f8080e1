import { strict as assert } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compiled } from '../support/compiled.ts'
import { isRoot } from '../support/identity.ts'
import { ordinaryUid } from '../support/ordinary-user.ts'
import { asRoot, requires } from '../support/requires.ts'
import { removeTemporary, temporaryDirectory } from '../support/temporary.ts'

const own = process.geteuid?.() ?? 0

/** Who calls it, and whose project it is. */
const callers = [
  {
    name: isRoot ? 'root, in a directory of somebody else' : 'this user',
    caller: own,
    owner: isRoot ? 64_913 : own,
  },
  ...(isRoot ? [{ name: 'an ordinary user', caller: ordinaryUid, owner: ordinaryUid }] : []),
]

for (const { name, caller, owner } of callers)
  describe(`holdfast run -w . -- npm test, by ${name}`, function () {
    this.timeout(120_000)
    let base: string
    let project: string
    before(function () {
      requires(this, 'isolation', 'native', ...(caller === own ? [] : (['ordinary-user'] as const)))
      base = temporaryDirectory('project')
      project = join(base, 'project')
      mkdirSync(project)
      const files = {
        'package.json': JSON.stringify({ name: 'project', scripts: { test: 'node test.js' } }),
        'test.js': `
        const { writeFileSync } = require('node:fs')
        for (const place of ['made', require('node:os').homedir() + '/cache', require('node:os').tmpdir() + '/x']) writeFileSync(place, 'x')
        console.log('tested in ' + process.cwd())`,
      }
      for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text)
      if (isRoot) execFileSync('chown', ['-R', `${owner}:${owner}`, project])
      if (caller !== own) chownSync(base, caller, caller)
    })
    after(() => removeTemporary(base))

    /** In the directory of the project, as a person would. */
    const holdfast = (line: readonly string[], PATH = '/usr/local/bin:/usr/bin:/bin') =>
      spawnSync(
        process.execPath,
        [compiled('src/cli/main.ts'), '--state-dir', join(base, 'state'), ...line],
        {
          cwd: project,
          encoding: 'utf8',
          ...(caller !== own && { uid: caller, gid: caller }),
          env: { PATH, HOME: base },
        },
      )

    it('does what its author means: the tests of a project run in it, and what they write is the owner’s', function () {
      if (!existsSync('/usr/bin/npm')) this.skip()
      const { stdout, stderr, status } = holdfast([
        'run',
        '--rm',
        '-w',
        '.',
        '--network',
        'none',
        '--',
        'npm',
        'test',
      ])
      assert.equal(status, 0, stderr)
      assert.match(stdout, new RegExp(`tested in ${project}\n`))
      assert.match(stderr, new RegExp(`enforced .*workspace ${project}`))
      assert.equal(statSync(join(project, 'made')).uid, owner)
    })

    it('git status works there', function () {
      if (!existsSync('/usr/bin/git')) this.skip()
      execFileSync('git', ['init', '-q', project], {
        ...(isRoot && { uid: owner, gid: owner }),
        env: { PATH: process.env.PATH },
      })
      const { stdout, stderr, status } = holdfast([
        'run',
        '--rm',
        '-w',
        '.',
        '--',
        'git',
        'status',
        '--short',
      ])
      assert.equal(status, 0, stderr)
      assert.match(stdout, /\?\? package\.json\n/)
    })

    it('a tool of this shell’s PATH that is not there is named with --toolchains, which finds it with what belongs to it', () => {
      const prefix = join(base, 'versions', 'v1')
      for (const part of ['bin', 'lib']) mkdirSync(join(prefix, part), { recursive: true })
      writeFileSync(join(prefix, 'lib', 'library'), 'found')
      writeFileSync(join(prefix, 'bin', 'tool'), '#!/bin/sh\ncat "$(dirname "$0")/../lib/library"\n')
      chmodSync(join(prefix, 'bin', 'tool'), 0o755)
      const run = (...words: readonly string[]) =>
        holdfast(['run', '--rm', '-w', '.', ...words], `/usr/bin:/bin:${prefix}/bin`)
      const direct = run('--', 'tool')
      assert.equal(direct.status, 127)
      assert.match(direct.stderr, /hint: .*--toolchains/)
      const byShell = run('--', 'sh', '-c', 'tool')
      assert.equal(byShell.status, 127)
      assert.match(byShell.stderr, new RegExp(`hint .*${prefix}/bin.*--toolchains`))
      assert.equal(run('--toolchains', '--', 'tool').stdout, 'found')
      assert.equal(run('--toolchains', '--', 'sh', '-c', 'tool').stdout, 'found')
      const writing = run('--toolchains', '--', 'sh', '-c', `: > ${prefix}/lib/library`)
      assert.match(writing.stderr, /Read-only file system/)
    })

    it(
      'a directory of a group that the caller is not of has an overlay all the same',
      asRoot(async () => {
        chownSync(project, owner, 4_242)
        const run = holdfast([
          'run',
          '-q',
          '--name',
          'shared',
          '-w',
          '.',
          '--overlay',
          '--',
          'sh',
          '-c',
          'echo new >added',
        ])
        assert.equal(run.status, 0, run.stderr)
        assert.equal(existsSync(join(project, 'added')), false)
        assert.equal(holdfast(['diff', 'shared']).stdout, 'A added\n')
        assert.equal(holdfast(['apply', 'shared']).status, 0)
        assert.equal(statSync(join(project, 'added')).uid, owner)
      }),
    )

    it('a directory that can only be read is DIR:ro, and one that is not there is refused with the flag', () => {
      const reading = holdfast(['run', '--rm', '-w', '.:ro', '--', 'sh', '-c', 'cat package.json; : > new'])
      assert.match(reading.stdout, /"project"/)
      assert.match(reading.stderr, /Read-only file system/)
      const absent = holdfast(['run', '-w', './nowhere', '--', 'true'])
      assert.equal(absent.status, 125)
      assert.match(absent.stderr, /nowhere does not exist[\s\S]*-w DIR/)
    })
  })
