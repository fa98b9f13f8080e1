import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { refuseChangedArguments, refuseChangedVariable } from '../../../src/cli/parse/own-bytes.ts'
import { temporaryDirectory } from '../../support/temporary.ts'

describe('bytes of the command line that Node cannot say', () => {
  const file = (...strings: Buffer[]): string => {
    const path = join(temporaryDirectory('own-bytes'), 'strings')
    writeFileSync(path, Buffer.concat(strings.flatMap(bytes => [bytes, Buffer.from([0])])))
    return path
  }
  const latin = Buffer.from('636166e9', 'hex')
  const words = ['node', '--flag', 'main.js', 'run', '--', 'touch'].map(word => Buffer.from(word))
  const args = ['run', '--', 'touch', latin.toString()]

  it('an argument that is no UTF-8 is refused by its number and bytes', () => {
    assert.throws(() => refuseChangedArguments(args, file(...words, latin)), {
      code: 'INVALID_ARGUMENT',
      message: /^argument 4: got bytes that are no UTF-8 \(caf\\xe9\)/,
    })
  })

  it('control: one that really has the character U+FFFD is taken, and so is any where the system keeps no bytes', () => {
    refuseChangedArguments(args, file(...words, Buffer.from(latin.toString())))
    refuseChangedArguments(args, '/no/such/file')
    refuseChangedArguments(['é'], '/no/such/file')
  })

  it('a variable that is passed on by name is refused without its value', () => {
    const environ = file(Buffer.from('A=b'), Buffer.concat([Buffer.from('SECRET='), latin]))
    assert.throws(
      () => refuseChangedVariable('SECRET', latin.toString(), { file: environ }),
      (error: Error) => /--env: the value of SECRET/.test(error.message) && !error.message.includes('caf'),
    )
    refuseChangedVariable('SECRET', latin.toString(), {
      file: file(Buffer.from(`SECRET=${latin.toString()}`)),
    })
    refuseChangedVariable('SECRET', latin.toString(), { file: file(Buffer.from('A=b')) })
  })
})
