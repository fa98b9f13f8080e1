import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AllocDir, type Command, type HoldfastError } from '../../src/index.ts'
import { taskUsers } from '../support/identity.ts'
import { outputOf } from '../support/output.ts'
import { requires } from '../support/requires.ts'
import { type Workbench, withWorkbench } from '../support/workbench.ts'

type Setup = {
  readonly bench: Workbench
  readonly alloc: AllocDir
  /** Where the host keeps a secret: `file`, which root alone may read. */
  readonly secret: string
}

/** Root's files are the ones that are worth it. */
describe('attack: what lies in a task directory where the system has a directory too', () => {
  before(function () {
    requires(this, 'root', 'isolation', 'linux', 'native')
  })

  for (const user of taskUsers)
    it(`a link there leads ${user} nowhere but in its own root`, () =>
      withSetup(async setup => {
        for (const [name, to] of [
          ['etc/out', setup.secret],
          ['etc/own/file', join(setup.secret, 'file')],
          ['etc/up', `../../../../../..${setup.secret}`],
          ['usr/local/bin', setup.secret],
        ] as const)
          symlinkSync(to, made(setup, name))
        put(setup, 'etc/seen', 'seen\n')
        const tried = ['/etc/out/file', '/etc/own/file', '/etc/up/file', '/usr/local/bin/file']
        const more = ['/.holdfast/etc/out/file', '/.holdfast/etc/own/file', '/.holdfast/etc/../..']
        assert.equal(
          await said(setup, `cat /etc/seen; cat ${[...tried, ...more].join(' ')} 2>/dev/null; echo over`, {
            user,
          }),
          'seen\nover\n',
        )
      }))

  it('a link in the place of such a directory is followed by nobody', () =>
    withSetup(async setup => {
      symlinkSync(setup.secret, made(setup, 'etc'))
      assert.equal(
        await said(setup, 'cat /etc/file 2>/dev/null; head -c 4 /etc/passwd', { user: 'root' }),
        'root',
      )
    }))

  it('a directory and a file that become links, and back, while tasks start: none sees the secret', () =>
    withSetup(async setup => {
      put(setup, 'etc/app/file', 'own\n')
      put(setup, 'etc/merged/deep/file', 'own\n')
      const swaps = ['etc/app', 'etc/merged', 'etc'].map(name => place(setup, name))
      const swapper = await swapping(swaps, setup.secret)
      let started = 0
      try {
        for (let round = 0; round < 12; round++) {
          const seen = await said(
            setup,
            'cat /etc/app/file /etc/merged/* /.holdfast/etc/*/file 2>&1; ls /etc',
            {
              user: 'root',
            },
          ).catch((error: HoldfastError) => {
            assert.match(
              error.errno ?? error.code,
              /^(ELOOP|ENOTDIR|ENOENT|EXDEV|PERMISSION)$/,
              error.message,
            )
            return null
          })
          if (seen === null) continue
          started++
          assert.doesNotMatch(seen, /SECRET|only-there/)
        }
      } finally {
        swapper.kill()
      }
      process.stderr.write(`      (${started} of 12 started)\n`)
    }))

  it('control: whoever follows such a link by its path reads the secret', () =>
    withSetup(async setup => {
      symlinkSync(setup.secret, made(setup, 'etc'))
      assert.equal(readFileSync(join(place(setup, 'etc'), 'file'), 'utf8'), 'SECRET\n')
      const mounts = [{ source: setup.secret, target: '/etc-of-it' }]
      assert.equal(await said(setup, 'cat /etc-of-it/file', { user: 'root', mounts }), 'SECRET\n')
    }))

  it('a set-user-ID program there runs as the task’s user, and a device node there is none', () =>
    withSetup(async setup => {
      for (const name of ['usr/local/bin/who', 'etc/app/who']) {
        copyFileSync('/usr/bin/id', made(setup, name))
        chmodSync(place(setup, name), 0o4755)
      }
      for (const name of ['etc/zero', 'etc/app/zero', 'usr/local/bin/zero']) {
        execFileSync('mknod', [made(setup, name), 'c', '1', '5'])
        chmodSync(place(setup, name), name.startsWith('usr') ? 0o777 : 0o666)
      }
      const nodes = ['/etc/zero', '/etc/app/zero', '/usr/local/bin/zero', '/.holdfast/etc/zero']
      const reads = nodes.map(path => `head -c 1 ${path} 2>/dev/null | wc -c`).join('; ')
      const script = `/usr/local/bin/who -u; /etc/app/who -u; ${reads}`
      const user = { user: 'nobody', noNewPrivileges: false }
      assert.equal(await said(setup, script, user), '65534\n65534\n0\n0\n0\n0\n')
      const open = setup.bench.directory('set-id')
      chmodSync(open, 0o755)
      copyFileSync('/usr/bin/id', join(open, 'who'))
      chmodSync(join(open, 'who'), 0o4755)
      const onHost = execFileSync(join(open, 'who'), ['-u'], { uid: 65_534, gid: 65_534, encoding: 'utf8' })
      const read = execFileSync('head', ['-c', '1', place(setup, 'etc/zero')])
      assert.deepEqual([onHost, read.length], ['0\n', 1], 'control: on the host they are what they say')
    }))

  it('a directory of the host that an access control list keeps the task out of shows it nothing', () =>
    withSetup(async setup => {
      const name = `etc/holdfast-test-${process.pid}`
      mkdirSync(`/${name}/deep`, { recursive: true })
      try {
        for (const path of ['file', 'deep/file'])
          writeFileSync(`/${name}/${path}`, 'secret\n', { mode: 0o644 })
        put(setup, `${name}/own`, 'own\n')
        put(setup, `${name}/deep/own`, 'own\n')
        const script = `cd /${name}; cat own deep/own file deep/file 2>/dev/null; ls`
        const user = { user: 'nobody' }
        const shown = 'own\nown\nsecret\nsecret\ndeep\nfile\nown\n'
        assert.equal(await said(setup, script, user), shown, 'control: it is open to all')
        keepOut(`/${name}`, 65_534)
        // In the same log, after the first.
        assert.equal(await said(setup, script, user), `${shown}own\nown\ndeep\nown\n`)
      } finally {
        rmSync(`/${name}`, { recursive: true })
      }
    }))

  it('a whiteout and an opaque mark hide nothing but the name that they have', () =>
    withSetup(async setup => {
      execFileSync('mknod', [made(setup, 'etc/passwd'), 'c', '0', '0'])
      execFileSync('mknod', [made(setup, 'etc/.wh..wh..opq'), 'c', '0', '0'])
      assert.equal(
        await said(
          setup,
          'cat /etc/passwd 2>/dev/null; head -c 4 /etc/group; cat /etc/shadow 2>/dev/null; ls -A /',
          {
            user: 'root',
          },
        ).then(text => text.split('\n')[0]?.slice(0, 4)),
        'root',
      )
    }))
})

/** As setfacl -m u:USER:---, which few hosts have installed. */
function keepOut(path: string, user: number): void {
  const entries = `(1, 7, -1), (2, 0, ${user}), (4, 5, -1), (16, 5, -1), (32, 5, -1)`
  const list = `struct.pack('<I', 2) + b''.join(struct.pack('<HHi', *one) for one in [${entries}])`
  const script = `import os, struct; os.setxattr('${path}', 'system.posix_acl_access', ${list})`
  execFileSync('python3', ['-c', script])
}

const place = ({ alloc }: Setup, name: string): string => join(alloc.path, 'web', name)

/** Where it comes to lie, with what it lies in. */
function made(setup: Setup, name: string): string {
  const path = place(setup, name)
  mkdirSync(dirname(path), { recursive: true })
  return path
}

function put(setup: Setup, name: string, text: string): void {
  writeFileSync(made(setup, name), text)
}

async function said({ bench, alloc }: Setup, script: string, command: Partial<Command>): Promise<string> {
  const task = bench.shell(script)
  Object.assign(task.command, command)
  await task.configureTaskDir('web', alloc)
  return outputOf(task)
}

/** Each in its turn becomes a link and itself again while it runs; it is given when it has done so. */
async function swapping(paths: readonly string[], to: string) {
  const script = paths
    .map(
      path =>
        `ln -s '${to}' '${path}.link'; mv -T '${path}' '${path}.kept'; mv -T '${path}.link' '${path}'; rm '${path}'; mv -T '${path}.kept' '${path}'`,
    )
    .join('\n')
  const swapper = spawn('sh', ['-c', `while :; do\n${script}\necho round\ndone`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise(resolve => swapper.stdout.once('data', resolve))
  swapper.stdout.resume()
  return swapper
}

async function withSetup(play: (setup: Setup) => Promise<void>): Promise<void> {
  await withWorkbench('linux', async bench => {
    const directory = bench.directory('task-directory')
    const secret = join(directory, 'secret')
    mkdirSync(secret, { mode: 0o700 })
    writeFileSync(join(secret, 'file'), 'SECRET\n', { mode: 0o600 })
    writeFileSync(join(secret, 'only-there'), '')
    const alloc = new AllocDir(join(directory, 'alloc'))
    await alloc.build(['web'])
    await play({ bench, alloc, secret })
  })
}
