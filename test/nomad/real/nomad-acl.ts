import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { patience } from '../support/until.ts'
import type { RealAgent } from './agent.ts'
import { Agents } from './agents.ts'
import { runGroup, shellTask, taskIs } from './jobs.ts'
import { isHealthy } from './node.ts'

/** The node's sizes keep two files, the job's three. */
const collecting = (tokenFile: string) => `
  collect_logs = true
  log_max_files = 2
  log_max_file_size = 1
  agent {
    address = "@HTTP@"
    token_file = "${tokenFile}"
    timeout = 60
  }`

/** A job's `logs` block, which the driver asks of an agent that shows it to few. */
describe('a real Nomad with ACLs', function () {
  this.timeout(300_000 * patience)
  let agents: Agents
  let agent: RealAgent
  const tokenFile = () => join(agents.directory, 'token')

  before(async function () {
    agents = new Agents(this)
    agent = await agents.make('acl', {
      server: true,
      client: true,
      more: { plugin: collecting(tokenFile()), agent: 'acl {\n enabled = true\n}' },
    })
    await agent.start()
    agent.token = ((await agent.put('/v1/acl/bootstrap')) as { SecretID: string }).SecretID
    await isHealthy(agent)
    await agent.put('/v1/namespace/apart', { Name: 'apart' })
    await policy('reads-jobs', 'namespace "*" {\n capabilities = ["read-job"]\n}')
    await policy('reads-nodes', 'node {\n policy = "read"\n}')
  })
  after(async () => agents?.close())

  const policy = async (Name: string, Rules: string) => agent.put(`/v1/acl/policy/${Name}`, { Name, Rules })
  const tokenOf = async (Policy: string) => {
    const token = await agent.put('/v1/acl/token', { Name: Policy, Type: 'client', Policies: [Policy] })
    return (token as { SecretID: string }).SecretID
  }

  /** How many files of a task's output are left, of which its job keeps three, and what an event says. */
  async function kept(id: string, token: string): Promise<{ files: number; said: string | undefined }> {
    writeFileSync(tokenFile(), `${token}\n`)
    const task = shellTask('t', 'head -c 6000000 /dev/zero', { LogConfig: { MaxFiles: 3, MaxFileSizeMB: 1 } })
    const { ID } = await runGroup(agent, id, 'batch', { Tasks: [task] }, 'apart')
    const { Failed, Events } = await taskIs(agent, ID, 'dead')
    assert.equal(Failed, false)
    const names = readdirSync(join(agent.directory, 'data/alloc', ID, 'alloc/logs'))
    const files = names.filter(name => name.startsWith('t.stdout')).length
    return { files, said: Events.find(({ Type }) => Type === 'Driver')?.DisplayMessage }
  }

  it('shows it to a token that may read jobs, of any namespace', async () => {
    assert.deepEqual(await kept('allowed', await tokenOf('reads-jobs')), { files: 3, said: undefined })
  })

  for (const [what, token, said] of [
    ['may read no jobs', () => tokenOf('reads-nodes'), /does not show it this allocation \((404|500)\)/],
    ['is none', async () => '11111111-2222-3333-4444-555555555555', /does not take it \(403\)/],
  ] as const)
    it(`does not show it to a token that ${what}: the task runs with the node's sizes, and an event`, async () => {
      const given = await token()
      const { files, said: event = '' } = await kept(what.replaceAll(' ', '-'), given)
      assert.equal(files, 2)
      assert.match(event, /^plugin config\.agent\.token_file: /)
      assert.match(event, said)
      assert.ok(
        !event.includes(given) && !readFileSync(join(agent.directory, 'agent.log'), 'utf8').includes(given),
      )
    })
})
