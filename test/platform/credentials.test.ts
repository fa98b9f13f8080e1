import assert from 'node:assert/strict'
import type { Command } from '../../src/api.ts'
import { ownOrSwitched } from '../../src/platform/credentials.ts'

const command: Command = { path: 'x', args: [], env: {} }
const self = { uid: 0, gid: 0 }
const maps = { users: [], groups: [], setsGroups: true, isMade: true }

describe('the credentials of a task', () => {
  it("are the supervisor's own without a look at what that may become", async () => {
    const unasked = () => assert.fail('nobody asks to be another')
    const { credentials, userName, rows } = await ownOrSwitched(command, self, unasked, unasked)
    assert.deepEqual([credentials, userName, rows], [null, 'root', []])
  })

  it('are refused as somebody who has no number here', async () => {
    await assert.rejects(
      ownOrSwitched(
        { ...command, user: 1 },
        self,
        () => null,
        () => maps,
      ),
      { code: 'PERMISSION', message: /no user 1 / },
    )
  })
})
