import { strict as assert } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { manualPage } from '../../scripts/manual/roff.ts'
import { holdfast } from '../../src/cli/program.ts'

describe('the manual page', () => {
  const page = manualPage(holdfast(), '1.2.3')

  it('has a section for each command, with each of its flags', () => {
    assert.ok(page.includes('.B \\-\\-state\\-dir <DIR>'))
    for (const command of holdfast().commands) {
      assert.ok(page.includes(`.SS "holdfast ${command.name().replace('-', '\\-')} `), command.name())
      for (const { flags } of command.options)
        assert.ok(page.includes(`.B ${flags.replaceAll('-', '\\-')}`), flags)
    }
  })

  it('has no line that is a request by accident', () => {
    const known = /^\.(TH|SH|SS|TP|PP|B|I|RI|nf|fi)( |$)/
    assert.deepEqual(
      page.split('\n').filter(line => /^[.']/.test(line) && !known.test(line)),
      [],
    )
  })

  it('is read by man(1) without a complaint', function () {
    const { error, stderr, status } = spawnSync('man', ['--warnings', '-l', '-'], {
      input: page,
      encoding: 'utf8',
      env: { ...process.env, MANPAGER: 'cat', PAGER: 'cat', MANROFFSEQ: '', LC_ALL: 'C.UTF-8' },
    })
    if (error !== undefined) {
      console.warn('skipped: there is no man(1); apt-get install man-db')
      this.skip()
    }
    assert.deepEqual([status, stderr], [0, ''])
  })
})
