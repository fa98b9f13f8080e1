import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { AllocDir } from '../../../src/index.ts'
import { isRoot, strongest, taskUsers } from '../../support/identity.ts'
import { output, outputOf } from '../../support/output.ts'
import { refuses } from '../../support/refuses.ts'
import type { Check, Section } from './adapter.ts'

const systemDirectories = ['bin', 'sbin', 'etc', 'lib', 'lib32', 'lib64', 'usr']
const onHost = systemDirectories.filter(name => lstatSync(`/${name}`, { throwIfNoEntry: false }))
const kinds = ['mnt', 'pid', 'ipc', 'uts', 'cgroup', 'net']

/** Lines of /proc/self/status, as the task has them. */
const status = (pattern: string): [string, ...string[]] => [
  '/bin/grep',
  '-E',
  `^(${pattern}):`,
  '/proc/self/status',
]

const ofOtherUsers = (check: Check) => {
  check('runs as nobody, in the groups of nobody only', async bench => {
    const nobody =
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find(line => line.startsWith('nobody:'))
        ?.split(':') ?? []
    const [uid, gid] = [nobody[2], nobody[3]]
    const lines = (await outputOf(bench.command(...status('Uid|Gid|Groups')))).split('\n')
    assert.equal(lines[0], ['Uid:', uid, uid, uid, uid].join('\t'))
    assert.equal(lines[1], ['Gid:', gid, gid, gid, gid].join('\t'))
    assert.ok(['', gid].includes(lines[2]?.replace('Groups:', '').trim()), lines[2])
  })

  check('runs as the user and group that were asked for', async bench => {
    const task = bench.shell('id -u; id -g')
    task.command.user = 12345
    task.command.group = 23456
    assert.equal(await outputOf(task), '12345\n23456\n')
  })
}

/** An ordinary user can start a task as itself, and as nobody else. */
const ofOwnUser = (check: Check) => {
  const uid = process.geteuid?.() ?? -1

  check('runs as the user of the supervisor, and says why not as nobody', async bench => {
    const task = bench.shell('id -u; id -g')
    assert.equal(await outputOf(task), `${uid}\n${process.getegid?.()}\n`)
    const row = task.enforcement.find(({ name }) => name === 'user')
    assert.deepEqual([row?.status, row?.chosen], ['weakened', false])
    assert.match(`${row?.reason} ${row?.hint}`, /cannot become another.*sudo/)
  })

  check(
    'sees the files whose owner programs ask for as root’s or its own: ssh reads its settings',
    async bench => {
      const shown =
        "find /etc/ssh/ssh_config /etc/ssh/ssh_config.d -type f -perm -004 -exec stat -c '%u %n' {} + 2>/dev/null"
      const there = spawnSync('sh', ['-c', shown], { encoding: 'utf8' }).stdout.trim().split('\n')
      const seen = (await outputOf(bench.shell(`${shown}; true`))).trim().split('\n')
      assert.deepEqual(seen.sort(), there.map(line => line.replace(/^0 /, `${uid} `)).sort())
      const control = bench.shell('stat -c %u /etc/passwd')
      assert.equal(await outputOf(control), '65534\n')
    },
  )

  check(
    'starts under strict as its own user by name, not as the default nobody and not as any other',
    async bench => {
      const strict = bench.another({ strict: true })
      const shell = () => bench.commandOf(strict, '/bin/sh', '-c', 'exit 0')
      await refuses(shell().start(), { code: 'ISOLATION_FAILED', hint: /sudo/ })
      for (const user of ['nobody', 'root', uid + 1]) {
        const other = shell()
        other.command.user = user
        await refuses(other.start(), { code: 'PERMISSION', hint: /root/ })
      }
      const own = shell()
      own.command.user = uid
      await own.start()
      assert.equal((await own.wait()).exitCode, 0)
    },
  )

  check('is told of every limit that no cgroup of its user is there for', async bench => {
    const task = bench.shell('ulimit -n')
    await task.limit({ memoryMB: 64, pids: 10, cpuLimit: 0.5, wallTimeMs: 60_000, rlimits: { nofile: 77 } })
    assert.equal(await outputOf(task), '77\n')
    for (const { name, kind, status, reason, hint } of task.enforcement) {
      if (kind !== 'limit') continue
      if (name === 'wallTimeMs' || name === 'rlimits.nofile') assert.equal(status, 'enforced', name)
      else if (status !== 'enforced') assert.ok(reason && hint, name)
    }
  })
}

export const privileges: Section = check => {
  if (isRoot) ofOtherUsers(check)
  else ofOwnUser(check)

  for (const user of taskUsers) {
    check(`has no capability, no new privileges and a system call filter, as ${user}`, async bench => {
      const task = bench.command(...status('Cap...|NoNewPrivs|Seccomp'))
      task.command.user = user
      const zero = '0'.repeat(16)
      assert.deepEqual((await outputOf(task)).replaceAll('\t', ' ').trim().split('\n'), [
        `CapInh: ${zero}`,
        `CapPrm: ${zero}`,
        `CapEff: ${zero}`,
        `CapBnd: ${zero}`,
        `CapAmb: ${zero}`,
        'NoNewPrivs: 1',
        'Seccomp: 2',
      ])
    })
  }

  check('keeps exactly the capabilities that were asked for, effective also for nobody', async bench => {
    const task = bench.command(...status('CapEff|CapBnd'))
    task.command.capabilities = ['CAP_NET_BIND_SERVICE']
    assert.equal(await outputOf(task), 'CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n')
  })

  check('does without what was loosened, and says so', async bench => {
    const task = bench.command(...status('NoNewPrivs|Seccomp'))
    task.command.noNewPrivileges = false
    task.command.seccomp = 'off'
    assert.equal(await outputOf(task), 'NoNewPrivs:\t0\nSeccomp:\t0\n')
    const rows = new Map(task.enforcement.map(row => [row.name, row.status]))
    assert.equal(rows.get('seccomp'), 'skipped')
    assert.equal(rows.get('noNewPrivileges'), 'skipped')
  })

  check('reports every isolation it has, and why the network is shared', async bench => {
    const task = bench.shell('exit 0')
    await task.start()
    const rows = new Map(task.enforcement.map(row => [row.name, row]))
    const names = ['mount', 'pid', 'ipc', 'uts', 'cgroup'].map(name => `namespace.${name}`)
    for (const name of [...names, 'root', 'capabilities', 'noNewPrivileges', 'seccomp', 'devices']) {
      assert.equal(rows.get(name)?.status, 'enforced', name)
    }
    assert.equal(rows.get('user')?.status, isRoot ? 'enforced' : 'weakened')
    assert.equal(rows.get('namespace.user')?.status, isRoot ? undefined : 'enforced')
    const network = rows.get('network')
    assert.equal(network?.status, 'skipped')
    assert.ok(network?.reason && network.hint)
  })
}

export const defaults: Section = check => {
  check('resolves its own host name, and keeps what the host’s file of names has', async bench => {
    const task = bench.shell('getent hosts $(hostname); cat /etc/hosts')
    task.command.hostname = 'kelp-7'
    const said = await outputOf(task)
    assert.match(said, /^127\.0\.1\.1\s+kelp-7\n/)
    assert.ok(said.includes(readFileSync('/etc/hosts', 'latin1')))
  })

  check('has a /dev/shm of its own, whose size can be told, apart from /tmp', async bench => {
    const task = bench.shell('touch /tmp/x; ls /dev/shm; echo y > /dev/shm/y && df -B1 /dev/shm | tail -1')
    task.command.tmpfs = [{ target: '/dev/shm', sizeBytes: 1 << 20 }]
    assert.match(await outputOf(task), /^tmpfs +1048576 /)
  })

  check('opens terminals, none of which is the host’s', async bench => {
    const task = bench.shell('ls /dev/pts; exec 3<>/dev/ptmx && ls /dev/pts')
    assert.deepEqual((await outputOf(task)).trim().split('\n'), ['ptmx', '0', 'ptmx'])
  })

  check('cannot change its names, its cgroups or the name servers, as whatever user', async bench => {
    const task = bench.shell(
      'for f in /etc/hosts /etc/resolv.conf /sys/fs/cgroup/x /sys/x; do echo x 2>/dev/null >> $f && echo $f; chmod 777 $f 2>/dev/null && echo $f; done; true',
    )
    task.command.user = strongest
    assert.equal(await outputOf(task), '')
  })

  if (isRoot)
    check(
      'as root without capabilities reads nothing of what is root’s alone in /etc and /proc',
      async bench => {
        const secret =
          '/etc/shadow /etc/gshadow /etc/shadow- /proc/slabinfo /proc/kpagecount /proc/kpageflags'
        // What this host has of them: a machine made for a test may have no account with a password.
        const read = `for f in ${secret}; do head -c 1 $f 2>/dev/null; done; true`
        const task = bench.shell(read)
        task.command.user = 'root'
        assert.equal(await outputOf(task), '')
        const control = bench.shell(read)
        Object.assign(control.command, { user: 'root', root: 'host', namespaces: { pid: false } })
        assert.notEqual(await outputOf(control), '')
      },
    )

  check('opens its standard input by name, when that is a stream', async bench => {
    const task = bench.command('cat', '/dev/stdin')
    task.command.stdin = Readable.from(['from a stream'])
    assert.equal(await outputOf(task), 'from a stream')
  })

  check('opens its standard input by name also after the stream has ended', async bench => {
    const task = bench.shell('sleep 0.5; cat /dev/stdin; cat; echo end')
    task.command.stdin = Readable.from(['from a stream\n'])
    assert.equal(await outputOf(task), 'from a stream\nend\n')
  })

  check('with a terminal has it as descriptor 0, and is told the end of its input', async bench => {
    const task = bench.shell('test -t 0 && echo terminal; cat; echo ended')
    Object.assign(task.command, { terminal: { rows: 24, columns: 80 }, stdin: Readable.from(['no newline']) })
    assert.match(await outputOf(task), /terminal[^]*no newline[^]*ended/)
  })
}

export const namespaces: Section = check => {
  check('is in namespaces of its own, except the network', async bench => {
    const task = bench.shell(`cd /proc/self/ns && readlink ${kinds.join(' ')}`)
    const own = (await outputOf(task)).trim().split('\n')
    const shared = kinds.filter((kind, index) => readlinkSync(`/proc/self/ns/${kind}`) === own[index])
    assert.equal(own.length, kinds.length)
    assert.deepEqual(shared, ['net'])
  })

  check('shares the namespaces that were loosened', async bench => {
    const task = bench.shell('cd /proc/self/ns && readlink ipc uts pid')
    task.command.namespaces = { ipc: false, uts: false, pid: false }
    const host = ['ipc', 'uts', 'pid'].map(kind => readlinkSync(`/proc/self/ns/${kind}`))
    assert.equal(await outputOf(task), `${host.join('\n')}\n`)
  })
}

export const ownRoot: Section = check => {
  check('sees exactly the system directories and its own at /', async bench => {
    const names = (await outputOf(bench.command('/bin/ls', '-A', '/'))).trim().split('\n')
    assert.deepEqual(names.sort(), [...onHost, 'alloc', 'dev', 'local', 'proc', 'sys', 'tmp'].sort())
  })

  check('keeps symbolic links among them as links', async bench => {
    const links = onHost.filter(name => lstatSync(`/${name}`).isSymbolicLink())
    const seen = await outputOf(bench.shell(`for name in ${links.join(' ')}; do readlink /$name; done`))
    assert.equal(seen, links.map(name => `${readlinkSync(`/${name}`)}\n`).join(''))
  })

  check('can write to /local, /alloc and /tmp only, also as root', async bench => {
    const alloc = new AllocDir(bench.directory('alloc'))
    await alloc.build(['writer'])
    const source = join(bench.directory('tool'), 'tool')
    writeFileSync(source, 'embedded')
    await alloc.embed('writer', { [source]: 'opt/tool' })
    const places = [
      '/',
      '/opt/',
      '/usr/',
      '/usr/bin/',
      '/etc/',
      '/dev/',
      '/proc/',
      '/local/',
      '/alloc/',
      '/alloc/data/',
      '/tmp/',
    ]
    const task = bench.shell(
      `cat /opt/tool; echo; for place in ${places.join(' ')}; do (: > \${place}mark) 2>/dev/null && echo $place; done; (: >> /opt/tool) 2>/dev/null && echo tool`,
    )
    task.command.user = strongest
    await task.configureTaskDir('writer', alloc)
    await task.start()
    await task.wait()
    assert.equal(await output(task), 'embedded\n/local/\n/alloc/\n/alloc/data/\n/tmp/\n')
    assert.equal(readFileSync(source, 'utf8'), 'embedded')
  })

  check('mounts what it is given: writable, read-only, tmpfs of a size', async bench => {
    const shared = bench.directory('shared')
    writeFileSync(join(shared, 'note'), 'from the host')
    const task = bench.shell(
      'cat /in/note; echo; (echo x > /in/mark) 2>/dev/null && echo wrote; echo back > /out/mark; df -k /scratch | tail -n 1 | { read _ size _; echo $size; }',
    )
    task.command.user = strongest
    task.command.mounts = [
      { source: shared, target: '/in', readOnly: true },
      { source: shared, target: '/out' },
    ]
    task.command.tmpfs = [{ target: '/scratch', sizeBytes: 1024 * 1024 }]
    assert.equal(await outputOf(task), 'from the host\n1024\n')
    assert.equal(readFileSync(join(shared, 'mark'), 'utf8'), 'back\n')
  })

  check('has a tmpfs inside of what it mounts', async bench => {
    const shared = bench.directory('shared')
    mkdirSync(join(shared, 'made'))
    const task = bench.shell('stat -f -c %T /in/made; echo x > /in/made/x && echo written')
    task.command.mounts = [{ source: shared, target: '/in' }]
    task.command.tmpfs = [{ target: '/in/made' }]
    assert.equal(await outputOf(task), 'tmpfs\nwritten\n')
    assert.deepEqual(readdirSync(join(shared, 'made')), [])
  })

  check('shows the host where root is loosened, still as the same user', async bench => {
    const task = bench.shell('test -d /sys/fs && echo host; id -u')
    task.command.root = 'host'
    assert.match(
      await outputOf(task),
      isRoot ? /^host\n6553\d\n$/ : new RegExp(`^host\\n${process.geteuid?.()}\\n$`),
    )
  })

  check('refuses a mount whose source does not exist, and contradictions', async bench => {
    const absent = bench.shell('exit 0')
    absent.command.mounts = [{ source: '/no/such/place', target: '/in' }]
    await refuses(absent.start(), { code: 'INVALID_ARGUMENT', message: /no\/such\/place/ })
    const both = bench.shell('exit 0')
    both.command.root = 'host'
    both.command.tmpfs = [{ target: '/scratch' }]
    await refuses(both.start(), { code: 'INVALID_ARGUMENT', hint: /leave one/ })
  })
}
