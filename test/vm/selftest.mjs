// Runs in the guest as root: checks that cgroup v2 works as tests need it.
// Makes its groups under /sys/fs/cgroup/selftest.
import assert from 'node:assert'
import fs from 'node:fs'
import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Generous: an emulated machine is slow. */
async function until(what, holds) {
  for (const begin = Date.now(); !holds(); await sleep(20))
    if (Date.now() > begin + 60_000) throw new Error(`not within a minute: ${what}`)
}
const top = '/sys/fs/cgroup/selftest'
let hasKill
const controllers = ['cpu', 'memory', 'io', 'pids', 'cpuset']

function group(name, limits = {}) {
  const dir = `${top}/${name}`
  fs.mkdirSync(dir)
  for (const [file, value] of Object.entries(limits)) fs.writeFileSync(`${dir}/${file}`, value)
  return dir
}
async function remove(dir) {
  if (hasKill) fs.writeFileSync(`${dir}/cgroup.kill`, '1')
  await until(`${dir} is empty`, () => event(dir, 'cgroup.events', 'populated') === 0)
  fs.rmdirSync(dir)
}
// A shell that first moves itself to the group, then runs the script.
const start = (dir, script, options) =>
  spawn('sh', ['-c', `echo $$ > ${dir}/cgroup.procs; ${script}`], options)
const exit = child => new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
const event = (dir, file, key) =>
  Number(new RegExp(`^${key} (\\d+)`, 'm').exec(fs.readFileSync(`${dir}/${file}`, 'utf8'))[1])

const checks = {
  async 'all controllers are there'() {
    const found = fs.readFileSync(`${top}/cgroup.controllers`, 'utf8').trim().split(' ')
    for (const name of controllers) assert(found.includes(name), `${name} not in ${found}`)
  },
  async 'memory.max: the hog is killed, oom_kill goes up'() {
    const dir = group('oom', { 'memory.max': '64M' })
    assert.strictEqual(event(dir, 'memory.events', 'oom_kill'), 0)
    const hog = 'exec python3 -c "b = bytearray(200 * 1024 * 1024)"'
    const { code, signal } = await exit(start(dir, hog))
    assert.strictEqual(signal, 'SIGKILL', `code ${code}`)
    assert(event(dir, 'memory.events', 'oom_kill') >= 1)
    await remove(dir)
  },
  async 'cgroup.kill kills a tree'() {
    if (!hasKill) return console.log('# no cgroup.kill before Linux 5.14')
    const dir = group('kill')
    const child = start(dir, 'sleep 600 & (sleep 600 & setsid sleep 600) & sleep 600')
    const pids = () => fs.readFileSync(`${dir}/cgroup.procs`, 'utf8').trim().split('\n')
    await until('four processes', () => pids().length >= 4)
    const exited = exit(child)
    fs.writeFileSync(`${dir}/cgroup.kill`, '1')
    assert.strictEqual((await exited).signal, 'SIGKILL')
    await until('nobody is left', () => event(dir, 'cgroup.events', 'populated') === 0)
    await remove(dir)
  },
  async 'pids.max stops forks'() {
    const dir = group('pids', { 'pids.max': '3' })
    // None of them ends before the last is asked for.
    await exit(start(dir, 'for i in 1 2 3 4 5; do sleep 10 & done', { stdio: 'ignore' }))
    assert(event(dir, 'pids.events', 'max') >= 1)
    await remove(dir)
  },
  async 'cpu.max throttles, io.max is accepted'() {
    const dir = group('cpu', { 'cpu.max': '10000 100000', 'io.max': '254:0 rbps=1048576' })
    const child = start(dir, 'while :; do :; done')
    await until('it is throttled', () => event(dir, 'cpu.stat', 'nr_throttled') >= 1)
    const exited = exit(child)
    child.kill('SIGKILL')
    await exited
    await remove(dir)
  },
  async freeze() {
    const dir = group('freeze')
    const child = start(dir, 'exec sleep 600')
    await until('it is there', () => event(dir, 'cgroup.events', 'populated') === 1)
    fs.writeFileSync(`${dir}/cgroup.freeze`, '1')
    await until('it is frozen', () => event(dir, 'cgroup.events', 'frozen') === 1)
    const exited = exit(child)
    child.kill('SIGKILL')
    await exited
    await remove(dir)
  },
  async 'user namespaces are on'() {
    const { status, stdout } = spawnSync(
      'setpriv',
      ['--reuid=tester', '--clear-groups', 'unshare', '-Ur', 'id', '-u'],
      { encoding: 'utf8' },
    )
    assert.strictEqual(`${status} ${stdout}`, '0 0\n')
  },
}
if (fs.existsSync('/run/systemd/system')) {
  checks['systemd-run --wait hands back the status'] = async () => {
    assert.strictEqual(spawnSync('systemd-run', ['--wait', '-q', 'true']).status, 0)
    assert.strictEqual(spawnSync('systemd-run', ['--wait', '-q', '--', 'sh', '-c', 'exit 7']).status, 7)
  }
  checks['D-Bus system bus'] = async () => {
    const { status, stderr } = spawnSync(
      'busctl',
      ['call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.DBus.Peer', 'Ping'],
      { encoding: 'utf8' },
    )
    assert.strictEqual(status, 0, stderr)
  }
} else {
  checks['no systemd, PID 1 is tini, no swap'] = async () => {
    assert.strictEqual(fs.readFileSync('/proc/1/comm', 'utf8'), 'tini\n')
    assert.strictEqual(fs.readFileSync('/proc/swaps', 'utf8').trim().split('\n').length, 1)
    assert.match(fs.readFileSync('/proc/mounts', 'utf8'), /^cgroup2 \/sys\/fs\/cgroup cgroup2 /m)
  }
}

async function main() {
  fs.writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', controllers.map(c => `+${c}`).join(' '))
  fs.mkdirSync(top)
  hasKill = fs.existsSync(`${top}/cgroup.kill`)
  fs.writeFileSync(`${top}/cgroup.subtree_control`, controllers.map(c => `+${c}`).join(' '))
  for (const [name, check] of Object.entries(checks)) {
    await check().then(
      () => console.log(`ok ${name}`),
      error => {
        process.exitCode = 1
        console.log(`not ok ${name}: ${error.message}`)
      },
    )
  }
}
main()
