import { strict as assert } from 'node:assert'
import { readdirSync, readFileSync } from 'node:fs'
import { readAgentConfig } from '../../src/nomad/config/agent-config.ts'
import { checkJob, differences, type JobReport, pluginConfig } from '../../src/nomad/check/index.ts'
import { jobFile, jobsDirectory } from './support/job-files.ts'

/** What is not the same, as `line:column verdict option`. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'inspected.json': [
    '11:58 differs network.port.ssh',
    '20:15 refused config.limits',
    '25:30 refused volume_mount',
  ],
  'java-jar.nomad.hcl': ['17:9 differs config.jar_path', '18:9 differs config.jvm_options'],
  'privileged-port.nomad.hcl': ['5:7 differs network.port.http', '8:7 differs network.port.https'],
  'raw-exec.nomad.hcl': [
    '4:5 differs user',
    '5:7 differs driver',
    '9:9 refused config.cgroup_v2_override',
    '10:9 refused config.oom_score_adj',
  ],
  'read-only-root.nomad.hcl': ['8:9 differs artifact.destination', '12:9 differs template.destination'],
  'root-caps.nomad.hcl': [
    '5:7 refused user',
    '9:9 refused config.cap_add',
    '11:9 refused config.pid_mode',
    '12:9 refused config.ipc_mode',
  ],
  'system-files.nomad.hcl': [
    '8:9 differs artifact.destination',
    '12:9 differs template.destination',
    '17:9 differs template.destination',
  ],
  'template.nomad.hcl': ['17:9 differs template.perms'],
  'docs-java-class.nomad.hcl': ['7:9 differs config.class', '8:9 differs config.class_path'],
  'docs-java-jar.nomad.hcl': ['7:9 differs config.jar_path', '8:9 differs config.jvm_options'],
  'variables.nomad.hcl': ['32:9 unknown config.command', '33:9 unknown config.args'],
  'volumes.nomad.hcl': ['24:7 refused volume_mount'],
}

const others = ({ tasks }: JobReport) =>
  tasks.flatMap(({ options }) =>
    options
      .filter(({ verdict }) => verdict !== 'same')
      .map(({ at, verdict, option }) => `${at.line}:${at.column} ${verdict} ${option}`),
  )

const job = (config: string, task = '') =>
  `job "j" {\n group "g" {\n  task "t" {\n   driver = "exec"\n   config {\n${config}\n   }\n${task}\n  }\n }\n}\n`
const check = (text: string, ...more: [agent?: object, variables?: object]) =>
  checkJob({ name: 'j.hcl', text }, readAgentConfig(more[0] ?? {}), new Map(Object.entries(more[1] ?? {})))

describe('what of a Nomad job would behave otherwise', () => {
  for (const name of readdirSync(jobsDirectory))
    it(`is found in ${name}, with its place`, () => {
      const report = checkJob(jobFile(name))
      assert.deepEqual(others(report), expected[name] ?? [])
      assert.ok(
        report.tasks.every(({ options, verdict }) => options.length > 0 || verdict === 'other driver'),
      )
    })

  it('is less where the node allows more', () => {
    const text = readFileSync(new URL('root-caps.nomad.hcl', jobsDirectory), 'utf8')
    const agent = pluginConfig({
      name: 'agent.hcl',
      text: 'plugin "holdfast" {\n config {\n allow_root = true\n allow_capabilities = ["NET_RAW"]\n allow_ipc_host = true\n }\n}\n',
    })
    assert.deepEqual(others(checkJob({ name: 'j.hcl', text }, agent)), [
      '5:7 differs user',
      '11:9 refused config.pid_mode',
    ])
    assert.deepEqual(others(check(job('command = "x"', 'user = "a"'), { default_user: 'own' })), [])
    const ownUsers = { dynamic_workload_users: true }
    assert.deepEqual(others(check(job('command = "x"'), ownUsers)), ['3:3 differs user'])
    assert.deepEqual(others(check(job('command = "x"'), { default_user: 'own' })), ['3:3 differs user'])
    assert.throws(
      () => pluginConfig({ name: 'a.hcl', text: 'plugin "holdfast" {\nconfig {\nallow_root = 3\n}\n}' }),
      {
        message: 'a.hcl:1: plugin config.allow_root: got 3, takes true or false',
      },
    )
    assert.throws(() => pluginConfig({ name: 'a.hcl', text: '' }), {
      message: 'a.hcl:1:1: has no plugin "holdfast" block',
    })
  })

  it('is a logs block that is not handed on, unless the agent is asked for it', () => {
    const judged = (block: string, agent: object, config = '') =>
      others(check(job(`command = "x"\n${config}`, `logs {\n${block}\n}`), { collect_logs: true, ...agent }))
    const three = 'max_files = 3\nmax_file_size = 10'
    assert.deepEqual(others(check(job('command = "x"', `logs {\n${three}\n}`))), [])
    assert.deepEqual(judged(three, {}), ['10:1 differs logs.max_files'])
    assert.deepEqual(judged(three, { log_max_files: 3 }), [])
    assert.deepEqual(judged(three, { agent: {} }), [])
    assert.deepEqual(judged(`disabled = true\n${three}`, {}), [])
    assert.deepEqual(judged(three, {}, 'logs {\nmax_files = 3\n}'), [])
    assert.deepEqual(judged(three, { agent: {} }, 'logs {\nmax_files = 4\n}'), [
      '12:1 differs logs.max_files',
    ])
    for (const files of [1, 101])
      assert.deepEqual(judged(`max_files = ${files}`, { agent: {} }), ['10:1 differs logs.max_files'])
    assert.deepEqual(judged('max_files = var.n', {}), ['10:1 unknown logs.max_files'])
    assert.deepEqual(judged('max_files = var.n', { agent: {} }), [])
    const inspected = readFileSync(new URL('inspected.json', jobsDirectory), 'utf8')
    const text = inspected.replace('"MaxFileSizeMB": 10', '"MaxFileSizeMB": 7')
    const report = checkJob({ name: 'j.json', text }, readAgentConfig({ collect_logs: true }))
    assert.ok(others(report).includes('27:44 differs logs.max_file_size'), others(report).join())
  })

  it("is told by the plugin's blocks too", () => {
    const ofPlugin = (agent: string) =>
      pluginConfig({
        name: 'a.hcl',
        text: `plugin "holdfast" {\nconfig {\ncollect_logs = true\nagent {\n${agent}\n}\n}\n}`,
      })
    assert.equal(ofPlugin('').agent?.address, 'http://127.0.0.1:4646')
    assert.equal(ofPlugin('token_file = "/t"').agent?.token_file, '/t')
    assert.throws(() => ofPlugin('token = "x"'), {
      message:
        /^a\.hcl:1: plugin config\.agent\.token: no attribute of this name; known are address, token_file/,
    })
  })

  it('names every option that the driver would refuse, not the first alone', () => {
    const report = check(
      job('args = "x"\nlimits {\nnofile = -1\n}\nimage = "i"', 'kill_signal = "SIGNOPE"\nnice = 5'),
    )
    assert.deepEqual(others(report), [
      '5:4 refused config.command',
      '6:1 refused config.args',
      '7:1 refused config.limits',
      '10:1 refused config.image',
      '12:1 refused kill_signal',
      '13:1 unknown nice',
    ])
  })

  it('says of files outside of local/ which of them a running task sees rendered anew', () => {
    const template = (more: string) => check(job('command = "x"', `template {\ndata = "a"\n${more}\n}`))
    const whys = (more: string) =>
      template(more).tasks.flatMap(({ options }) => options.flatMap(({ why }) => why ?? []))
    const below = 'the task sees it below /, and cannot write there'
    const stays = `${below}; rendered anew, it is seen by the next start alone`
    for (const [more, why] of [
      ['destination = "etc/app.conf"\nchange_mode = "signal"', [below]],
      ['destination = "etc/app/x.yml"\nchange_mode = "noop"', [below]],
      ['destination = "opt/x.yml"\nchange_mode = "noop"', [below]],
      ['destination = "app.conf"', [below]],
      ['destination = "./app.conf"\nchange_mode = "noop"', [stays]],
      ['destination = "/app.conf"\nchange_mode = "script"', [stays]],
      ['destination = "usr/local/bin/run"\nperms = "755"\nchange_mode = "noop"', [stays]],
      ['destination = "opt/app/run"\nperms = "755"\nchange_mode = "noop"', [below]],
      ['destination = "local/app.conf"\nchange_mode = "noop"', []],
    ] as const)
      assert.deepEqual(whys(more), why, more)
    assert.deepEqual(others(template('destination = "dev/x"')), ['10:1 refused template.destination'])
    const ofRoot = 'destination = "etc/app.conf"\nperms = "0640"'
    assert.deepEqual(others(template(ofRoot)), [
      '10:1 differs template.destination',
      '11:1 differs template.perms',
    ])
  })

  it('goes by variables: their defaults, and what is given', () => {
    const text = `variable "u" {\n default = "root"\n}\nlocals {\n v = var.u\n}\n${job('command = "x"', 'user = "${local.v}"')}`
    assert.deepEqual(others(check(text)), ['14:1 refused user'])
    assert.deepEqual(others(check(text, {}, { u: 'alice' })), [])
    assert.deepEqual(others(check(`locals {\n v = local.v\n}\n${job('command = local.v')}`)), [
      '9:1 unknown config.command',
    ])
  })

  it('is as docs/nomad.md has it', () => {
    const docs = readFileSync(new URL('../../docs/nomad.md', import.meta.url), 'utf8')
    const [, table = ''] = /\n\| \| `exec` \| `holdfast` \| why \|\n\| --- .*\n((?:\|.*\n)+)/.exec(docs) ?? []
    const rows = differences.map(
      ({ what, exec, holdfast, why }) => `| ${[what, exec, holdfast, why].join(' | ')} |\n`,
    )
    assert.equal(table, rows.join(''))
  })
})

describe('a file that is no Nomad job', () => {
  for (const [text, message] of [
    ['job "j" {\n', 'j.hcl:2:1: got the end of the file, takes "}"'],
    ['job "j" {\n a = \n}', 'j.hcl:2:6: got the end of the line, takes a value'],
    ['a = 1 b = 2\n', 'j.hcl:1:7: got "b", takes an operator, or the end of the value'],
    ['a = [1 2]\n', 'j.hcl:1:8: got "2", takes an operator, or the end of the value'],
    ['a = {b c}\n', 'j.hcl:1:8: got "c", takes "=" or ":"'],
    ['a = f(1\n', 'j.hcl:1:6: "(" is never closed'],
    ['a = "x\n', 'j.hcl:1:5: a string that does not end'],
    ['a = "${b\n', 'j.hcl:1:6: "${" without its closing "}"'],
    ['a = "\\q"\n', 'j.hcl:1:6: got "\\\\q", which is no escape'],
    ['a = <<E\nx\n', 'j.hcl:1:5: a heredoc without its closing E'],
    ['a = 1\na = 2\n', 'j.hcl:2:1: a is there twice'],
    ['a = §\n', 'j.hcl:1:5: got "§"'],
    ['server {\n}\n', 'j.hcl:1:1: a job file has a job block, this one has none'],
    [`a = ${'['.repeat(300)}`, /^j\.hcl:1:\d+: more than 200 things within each other/],
    [`a = ${'"${'.repeat(300)}`, /more than 100|without its closing/],
  ] as const)
    it(`is refused with the place: ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => check(text), { code: 'INVALID_ARGUMENT', message })
    })

  it('is refused where it is JSON, too', () => {
    const json = (text: string) => () => checkJob({ name: 'j.json', text })
    assert.throws(json('{"Job": {\n"ID" 1}}'), { message: 'j.json:2:6: got "1", takes "=" or ":"' })
    assert.throws(json('{"Job" = 1}'), { message: /^j\.json:1:1: no JSON/ })
    assert.throws(json('{"a": 1}'), { message: /"TaskGroups"/ })
  })
})
