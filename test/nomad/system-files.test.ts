import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { driverBench } from './support/driver-bench.ts'
import { until } from './support/until.ts'

const certificates = existsSync('/etc/ssl/certs')
  ? readdirSync('/etc/ssl/certs').filter(name => !name.startsWith('.')).length
  : 0

/** Templates and artifacts of a job in directories that its task also has from the node. */
describe("a job's files among the node's", function () {
  this.timeout(120_000)
  const bench = driverBench('nomad-system-files', { allow_root: true })

  /** As the client renders a template: another file by the same name. */
  function render(path: string, text: string, mode = 0o644): void {
    const file = join(bench.allocation.dir, 't', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.rendered`, text)
    chmodSync(`${file}.rendered`, mode)
    renameSync(`${file}.rendered`, file)
  }

  const outputOf = (script: string, more: object = {}) =>
    bench.outputOf(bench.allocation.shell(`exec 2>&1; ${script}`, more))

  it('are where the job says, and the node’s are beside them', async () => {
    render('etc/app.conf', 'a file\n')
    render('etc/app/x.yml', 'a directory\n')
    render('etc/ssl/certs/own.pem', 'a certificate\n')
    render('opt/app/data', 'none of the node’s\n')
    const names = ['/etc/app.conf', '/etc/app/x.yml', '/etc/ssl/certs/own.pem', '/opt/app/data']
    assert.equal(
      await outputOf(`cat ${names.join(' ')}; id -un; ls /etc/ssl/certs | wc -l`),
      `a file\na directory\na certificate\nnone of the node’s\nnobody\n${certificates + 1}\n`,
    )
  })

  it('leave the node as it was, and cannot be written', async () => {
    const before = readFileSync('/etc/passwd', 'utf8')
    render('etc/app.conf', 'rendered\n')
    render('etc/app/x.yml', '')
    render('etc/passwd', "the job's\n")
    const writes = ['/etc/new', '/etc/app/new', '/.holdfast/etc/new', '/etc/app.conf', '/etc/passwd'].map(
      path => `(echo x > ${path}) 2>/dev/null && echo wrote ${path}`,
    )
    assert.equal(
      await outputOf(`${writes.join('; ')}; cat /etc/app.conf /etc/passwd`, { user: 'root' }),
      "rendered\nthe job's\n",
    )
    assert.equal(readFileSync('/etc/passwd', 'utf8'), before)
    for (const path of ['/etc/app.conf', '/etc/app']) assert.equal(existsSync(path), false)
  })

  it('are programs on its PATH, made executable, each known by where it is', async () => {
    render('usr/local/bin/holdfast-own', '#!/bin/sh\necho $0; readlink -f $0; ls -l $0 | cut -c 1-10\n')
    const own = '/usr/local/bin/holdfast-own'
    for (const command of ['holdfast-own', own])
      assert.equal(await bench.outputOf(bench.allocation.task({ command })), `${own}\n${own}\n-rwxr-xr-x\n`)
    render('bin/other-own', '#!/bin/sh\necho other\n', 0o755)
    assert.match(
      await outputOf('/bin/other-own; ls /bin/sh; /usr/bin/other-own'),
      /^other\n\/bin\/sh\n.*not found\n$/,
    )
  })

  it('show the node’s password hashes to nobody', async () => {
    render('etc/app.conf', '')
    render('etc/ssl/private/key.pem', 'the job’s key\n', 0o600)
    const script = 'cat /etc/ssl/private/key.pem; ls /etc/ssl/private; head -c 1 /etc/shadow /etc/gshadow'
    assert.match(await outputOf(script), /Permission denied[^]*Permission denied/)
    const roots = await outputOf(script, { user: 'root' })
    assert.equal(roots.replace(/==> .* <==\n/g, '').trim(), 'the job’s key\nkey.pem')
  })

  it('go before the node’s names of hosts, and after what the job says of name servers', async () => {
    render('etc/hosts', '198.18.0.1 of-the-job\n')
    render('etc/resolv.conf', 'nameserver 198.18.0.2\n')
    const script = 'cat /etc/hosts /etc/resolv.conf; getent hosts of-the-job'
    assert.equal(
      await outputOf(script),
      '198.18.0.1 of-the-job\nnameserver 198.18.0.2\n198.18.0.1      of-the-job\n',
    )
    const dns = { servers: ['198.18.0.53'], searches: [], options: [] }
    assert.match(await outputOf(script, { dns }), /of-the-job\nnameserver 198\.18\.0\.53\n/)
  })

  it('are seen as they are rendered anew, in the task and in its sessions; a program stays as it was', async () => {
    render('etc/app.conf', 'one\n')
    render('etc/app/x.yml', 'one\n')
    render('usr/local/bin/own', '#!/bin/sh\necho one\n', 0o755)
    const look = 'cat /etc/app.conf /etc/app/x.yml; own'
    const task = bench.allocation.shell(
      `${look}; until grep -q two /etc/app.conf && grep -q two /etc/app/x.yml; do sleep 0.05; done; ${look}; while :; do sleep 1; done`,
    )
    await bench.start(task)
    await until('it is up', () => shown() === 'one\none\none\n')
    for (const path of ['etc/app.conf', 'etc/app/x.yml']) render(path, 'two\n')
    render('usr/local/bin/own', '#!/bin/sh\necho two\n', 0o755)
    await until('it has seen them', () => shown() === 'one\none\none\ntwo\ntwo\none\n')
    assert.equal(await inside(task.id, look), 'two\ntwo\none\n')
    // Another plugin finds the task with the same view.
    await bench.host.kill()
    await bench.launch({ allow_root: true })
    assert.equal(await inside(task.id, look), 'two\ntwo\none\n')
    await bench.driver('StopTask', { task_id: task.id, timeout: { seconds: 5, nanos: 0 }, signal: 'SIGKILL' })
    // Restarted in place, it has them all.
    assert.equal(await outputOf(look), 'two\ntwo\ntwo\n')
  })

  it('are among what volumes and mounts put there', async () => {
    const volume = join(bench.allocation.dir, 'volume')
    mkdirSync(volume)
    writeFileSync(join(volume, 'file'), 'of the volume\n')
    render('etc/app/x.yml', 'of the job\n')
    render('data/own', 'of the job, too\n')
    const mounts = ['/etc/app/volume', '/data/volume'].map(task_path => ({ task_path, host_path: volume }))
    assert.equal(
      await outputOf('cat /etc/app/x.yml /etc/app/volume/file /data/own /data/volume/file', { mounts }),
      'of the job\nof the volume\nof the job, too\nof the volume\n',
    )
  })

  it('are refused where they are the kernel’s, or no directory, by what to change', async () => {
    const place = (name: string) => join(bench.allocation.dir, 't', name)
    for (const [make, says] of [
      [() => mkdirSync(place('proc')), /proc\/ in a task's root is the kernel's.*local\//],
      [() => symlinkSync('/root', place('etc')), /etc in a task's directory has to be a directory.*local\//],
      [() => writeFileSync(place('usr'), ''), /usr in a task's directory has to be a directory/],
      [() => symlinkSync('/root', place('.holdfast')), /holdfast/],
    ] as const) {
      make()
      await assert.rejects(bench.start(bench.allocation.shell('true')), { details: says })
      for (const name of ['proc', 'etc', 'usr', '.holdfast'])
        rmSync(place(name), { recursive: true, force: true })
    }
  })

  let said = ''
  beforeEach(() => (said = ''))
  const shown = () => (said += bench.allocation.logged())

  async function inside(task_id: string, script: string): Promise<string> {
    const timeout = { seconds: 30, nanos: 0 }
    const { stdout } = await bench.driver('ExecTask', {
      task_id,
      command: ['/bin/sh', '-c', script],
      timeout,
    })
    return String((stdout as Buffer | undefined) ?? '')
  }
})
