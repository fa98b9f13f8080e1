import { strict as assert } from 'node:assert'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { bashCompletion } from '../../src/cli/completion/bash.ts'
import { fishCompletion } from '../../src/cli/completion/fish.ts'
import { shapeOf } from '../../src/cli/completion/shape.ts'
import { zshCompletion } from '../../src/cli/completion/zsh.ts'
import { holdfast } from '../../src/cli/program.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const shape = shapeOf(holdfast())

/** A PATH on which `holdfast ps` lists two tasks. */
function withTasks(): string {
  const bin = join(temporaryDirectory('completion'), 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'holdfast'), '#!/bin/sh\necho abc1\necho abd2\n')
  chmodSync(join(bin, 'holdfast'), 0o755)
  return `${bin}${delimiter}${process.env.PATH}`
}

/** What bash offers for the last of these words. */
function offered(path: string, ...words: readonly string[]): string[] {
  const script = `${bashCompletion(shape)}
COMP_WORDS=(holdfast "$@"); COMP_CWORD=$#; _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`
  const env = { PATH: path }
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8', env })
  return output.split('\n').filter(line => line !== '')
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}

describe('the completion of the command line', () => {
  it('knows every command of the program, its flags, and what its words are', () => {
    const commands = holdfast().commands.map(command => command.name())
    assert.deepEqual(shape.commands.map(({ name }) => name).sort(), [...commands, 'help'].sort())
    const operands = Object.fromEntries(shape.commands.map(({ name, operands: kind }) => [name, kind]))
    assert.deepEqual(
      [operands.run, operands.exec, operands.stop, operands.rm, operands.doctor],
      ['program', 'task-and-program', 'task', 'tasks', 'none'],
    )
    const run = shape.commands.find(({ name }) => name === 'run')
    const memory = run?.flags.find(({ names }) => names.includes('--memory'))
    assert.deepEqual([memory?.takesValue, memory?.repeats], [true, false])
    const env = run?.flags.find(({ names }) => names.includes('--env'))
    assert.deepEqual([env?.names, env?.takesValue, env?.repeats], [['-e', '--env'], true, true])
  })

  describe('in bash', () => {
    before(function () {
      if (has('bash')) return
      console.warn('skipped: there is no bash; install it to see its completion')
      this.skip()
    })

    it('offers commands, and the flags of the one that is typed', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'st'), ['stop', 'stats'])
      assert.deepEqual(offered(path, '--state-dir', '/x', 'pr'), ['prune'])
      assert.deepEqual(offered(path, 'run', '--mem'), ['--memory'])
      assert.deepEqual(offered(path, 'help', 'dia'), [])
      assert.deepEqual(offered(path, 'help', 'doc'), ['doctor'])
    })

    it('offers tasks where a task is meant, once or as often as the command takes', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'stop', 'abc'), ['abc1'])
      assert.deepEqual(offered(path, 'stop', '--grace', '5s', ''), ['abc1', 'abd2'])
      assert.deepEqual(offered(path, 'stop', 'abc1', ''), [])
      assert.deepEqual(offered(path, 'rm', 'abc1', 'abd'), ['abd2'])
      assert.deepEqual(offered(path, 'exec', 'ab'), ['abc1', 'abd2'])
    })

    it('leaves the value of a flag and the words of a program to the shell', () => {
      const path = withTasks()
      assert.deepEqual(offered(path, 'run', '--env-file', 'a'), [])
      assert.deepEqual(offered(path, 'run', '--', 'ls', '--mem'), [])
      assert.deepEqual(offered(path, 'run', 'ls', '--mem'), [])
      assert.deepEqual(offered(path, 'exec', 'abc1', 'ls', '--int'), [])
      assert.deepEqual(offered(path, 'exec', 'abc1', '--int'), ['--interpolate', '--interactive'])
    })
  })

  for (const [shell, text, check] of [
    ['zsh', zshCompletion(shape), ['-n']],
    ['fish', fishCompletion(shape), ['--no-execute']],
  ] as const)
    it(`is a script that ${shell} reads, with a line for each command`, function () {
      for (const { name } of shape.commands) assert.match(text, new RegExp(`\\b${name}\\b`))
      if (!has(shell)) {
        console.warn(`not tried in ${shell}, which is not installed: apt-get install ${shell}`)
        return
      }
      const file = join(temporaryDirectory('completion'), shell)
      writeFileSync(file, text)
      const { status, stderr } = spawnSync(shell, [...check, file], { encoding: 'utf8' })
      assert.deepEqual([status, stderr], [0, ''])
    })
})
