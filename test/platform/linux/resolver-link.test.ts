import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { compiled } from '../../support/compiled.ts'
import { requires } from '../../support/requires.ts'
import { temporaryDirectory } from '../../support/temporary.ts'

/** What /etc/resolv.conf is where systemd-resolved, resolvconf or NetworkManager writes it. */
const links: Readonly<Record<string, readonly string[]>> = {
  'a relative link (systemd-resolved)': ['ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf'],
  'an absolute link (NetworkManager)': ['ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf'],
  'a link to a link (resolvconf)': [
    'ln -s resolvconf/run/resolv.conf /etc/resolv.conf',
    'rm -rf /etc/resolvconf; mkdir -p /etc/resolvconf /run/resolvconf; ln -s /run/resolvconf /etc/resolvconf/run',
    'ln -s ../systemd/resolve/stub-resolv.conf /run/resolvconf/resolv.conf',
  ],
}

describe('/etc/resolv.conf that leads out of /etc', () => {
  before(function () {
    requires(this, 'root', 'linux', 'native')
  })

  for (const [what, make] of Object.entries(links)) {
    it(`${what} is read in a task as on the host`, () => {
      assert.match(inNamespace(make, 'cat /etc/resolv.conf'), /^nameserver 127\.0\.0\.53$/m)
    })

    it(`${what} is no way to the rest of the directory, and not writable`, () => {
      const script = 'find /run -type f | wc -l; echo x >> /etc/resolv.conf || echo refused'
      assert.equal(inNamespace(make, script), '1\nrefused\n')
    })
  }

  it('control: a file that a task is not shown dangles for it', () => {
    const dangling = [
      'ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf',
      'ln -s /run/secret /etc/secret',
    ]
    assert.equal(inNamespace(dangling, 'cat /etc/secret 2>/dev/null || echo none'), 'none\n')
  })
})

/** What a script in a task says, on a host whose /etc and /run are ours: in a mount namespace of its own. */
function inNamespace(make: readonly string[], script: string): string {
  const at = temporaryDirectory('resolver')
  const cli = compiled('src/cli/main.ts')
  const words = [
    process.execPath,
    cli,
    '--state-dir',
    join(at, 'state'),
    'run',
    '--rm',
    '--',
    '/bin/sh',
    '-c',
    script,
  ]
  const lines = [
    'set -e',
    `mount -t tmpfs tmpfs ${at}; mkdir ${at}/state ${at}/etc; cp -a /etc/. ${at}/etc; chmod 700 ${at}/state`,
    `mount --bind ${at}/etc /etc; mount -t tmpfs -o mode=755 tmpfs /run; rm -f /etc/resolv.conf`,
    'mkdir -p /run/systemd/resolve; echo nameserver 127.0.0.53 > /run/systemd/resolve/stub-resolv.conf',
    'echo other > /run/systemd/resolve/netif; echo secret > /run/secret',
    ...make,
    `exec ${words.map(word => `'${word}'`).join(' ')}`,
  ]
  const said = execFileSync('unshare', ['--mount', 'sh', '-c', lines.join('\n')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return said.toString()
}
