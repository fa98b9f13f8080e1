import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { nativeProgram } from './native-program.ts'

/**
 * Whether standard input is a file, pipe or socket with bytes that nobody has read. Nothing is read: whoever reads next gets them all. False where there
 * is no native program, which alone can tell.
 */
export async function inputIsWaiting(): Promise<boolean> {
  try {
    // A terminal and /dev/null, the usual two, are not worth a process.
    if (fstatSync(0).isCharacterDevice()) return false
    const native = nativeProgram()
    if (!('path' in native)) return false
    const asked = spawn(native.path, ['waiting'], {
      cwd: '/',
      env: {},
      stdio: ['inherit', 'ignore', 'ignore'],
    })
    const [status] = (await once(asked, 'exit')) as [number | null]
    return status === 0
  } catch {
    return false
  }
}
