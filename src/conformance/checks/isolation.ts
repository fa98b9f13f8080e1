import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { expect, expectThat } from '../expect.ts'
import { beats, until } from '../waiting.ts'

const kinds: Readonly<Record<string, string>> = {
  pid: 'pid',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
}

const tunnel = /^(sit|tunl|gre|gretap|erspan|ip6tnl|ip6gre|ip6_vti|ip_vti)\d/

/** A namespace of its own, by what the kernel calls it. */
function namespace(name: string, file: string): Check {
  return {
    name: `${name} namespace of its own`,
    group: 'isolation',
    run: async bench => {
      await bench.needs([`namespace.${name}`])
      const own = (await bench.output(`readlink /proc/self/ns/${file}`)).trim()
      expectThat(own.startsWith(`${file}:[`), `the task reads ${own}`)
      expectThat(own !== readlinkSync(`/proc/self/ns/${file}`), "it is the supervisor's")
    },
  }
}

async function status(bench: Bench, field: string): Promise<string> {
  const line = await bench.output(`grep '^${field}:' /proc/self/status`)
  return line.replace(`${field}:`, '').trim()
}

export const isolation: readonly Check[] = [
  {
    name: 'a file of the host cannot be found, whatever its mode',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['root'])
      const directory = mkdtempSync(join(tmpdir(), 'holdfast-secret-'))
      try {
        writeFileSync(join(directory, 'note'), 'secret', { mode: 0o644 })
        const seen = await bench.output(
          `cat ${directory}/note /proc/1/root${directory}/note 2>/dev/null; ls -d /root /home ${bench.stateDir} 2>/dev/null`,
        )
        expect('what the task finds', seen, '')
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
  },
  {
    name: 'system directories cannot be written',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['root'])
      expect(
        'what was written',
        await bench.output(
          'for d in / /usr /etc /dev; do (: > $d/holdfast-conformance) 2>/dev/null && echo $d; done; true',
        ),
        '',
      )
    },
  },
  {
    name: '/tmp, /local and /alloc can, and /tmp is private',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['root'])
      expect(
        'the places',
        await bench.output('for d in /tmp /local /alloc; do : > $d/x && echo $d; done'),
        '/tmp\n/local\n/alloc\n',
      )
      const task = bench.shell(': > /tmp/holdfast-conformance; echo > /local/beat; sleep 600')
      await task.start()
      await until('its file', () => beats(bench) > 0)
      expect('another task finds', await bench.output('ls -A /tmp'), '')
      expectThat(!existsSync('/tmp/holdfast-conformance'), 'it is in the /tmp of the host')
      await task.forceStop()
    },
  },
  {
    name: 'nothing is mounted on the host while a task runs',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['root'])
      const task = bench.shell('sleep 600')
      await task.start()
      expect('its own', await bench.output('grep -c " /alloc " /proc/self/mountinfo'), '1\n')
      const host = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
      expect(
        "the host's",
        host.filter(line => line.includes(bench.stateDir) || line.includes(' /alloc ')),
        [],
      )
      await task.forceStop()
    },
  },
  {
    name: 'no device but the usual six, and those work',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['devices'])
      const script =
        'for f in /dev/*; do [ -b $f ] || [ -c $f ] && [ ! -L $f ] && echo $f; done; head -c 4 /dev/urandom | wc -c; echo x > /dev/null && echo done'
      const seen = (await bench.output(script)).trim().split(/\s+/)
      expect('devices', seen, [
        ...['full', 'null', 'random', 'tty', 'urandom', 'zero'].map(name => `/dev/${name}`),
        '4',
        'done',
      ])
    },
  },
  ...Object.entries(kinds).map(([name, file]) => namespace(name, file)),
  {
    name: 'no other process is seen, and none can be signalled',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['namespace.pid', 'root'])
      const [seen = '', self = '', reached] = (
        await bench.output(
          `echo /proc/[0-9]*; echo $$; kill -0 ${process.pid} 2>/dev/null && echo reached; true`,
        )
      ).split('\n')
      expectThat(self !== '1', 'it is PID 1')
      expect('what it sees', seen.split(' ').sort(), ['/proc/1', `/proc/${self}`].sort())
      expectThat(reached !== 'reached' || process.pid <= 3, 'it can signal the supervisor')
    },
  },
  {
    name: 'the hostname is its own',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['namespace.uts'])
      const before = hostname()
      expect('the name', await bench.output('uname -n'), 'sh\n')
      expect('one given', await bench.output('uname -n', { hostname: 'conformance' }), 'conformance\n')
      expect("the host's", hostname(), before)
    },
  },
  {
    name: "network 'none' leaves a loopback only, which is up",
    group: 'isolation',
    run: async bench => {
      await bench.needs(['network'], null, { network: 'none' })
      const routes = 'tail -n +2 /proc/net/route | wc -l; grep -c "127.0.0.1$" /proc/net/fib_trie'
      const seen = await bench.output(`${routes}; tail -n +3 /proc/net/dev | cut -d: -f1`, {
        network: 'none',
      })
      const [count, addresses, ...interfaces] = seen.split(/\s+/).filter(Boolean)
      expect('routes', count, '0')
      expectThat(addresses !== '0', 'the loopback has no address')
      // Every network namespace has these of a kernel with tunnels, and they are down.
      expect(
        'interfaces',
        interfaces.filter(name => !tunnel.test(name)),
        ['lo'],
      )
    },
  },
  {
    name: 'no capability, neither held nor to be had',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['capabilities', 'noNewPrivileges'])
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
        expect(set, BigInt(`0x${await status(bench, set)}`).toString(), '0')
      expect('NoNewPrivs', await status(bench, 'NoNewPrivs'), '1')
    },
  },
  {
    name: 'system calls that no program needs are refused',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['seccomp'])
      expect('Seccomp', await status(bench, 'Seccomp'), '2')
      expect('unshare(2)', await bench.output('unshare --user true 2>/dev/null && echo made; true'), '')
    },
  },
  {
    name: 'the task is nobody',
    group: 'isolation',
    run: async bench => {
      await bench.needs(['user'])
      const ids = (await bench.output('id -u; id -G')).trim().split('\n')
      expectThat(ids[0] !== '0', 'it is root')
      expectThat(ids[1]?.split(' ').length === 1, `it is in the groups ${ids[1]}`)
    },
  },
]
