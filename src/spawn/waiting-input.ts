import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync, readFileSync, statSync } from 'node:fs'
import { nativeProgram } from './native-program.ts'

/**
 * Whether standard input is a file, pipe or socket with bytes that nobody reads. Nothing is read: whoever
 * reads next gets them all. False where there is no native program, which alone can tell, and where somebody
 * else reads it, as a shell does line by line in `while read name; do holdfast run ...;
 * done`: of a file something has been read, a pipe is the parent process's too.
 */
export async function inputIsWaiting(): Promise<boolean> {
  try {
    // A terminal and /dev/null, the usual two, are not worth a process.
    if (fstatSync(0).isCharacterDevice() || isReadByOthers()) return false
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

/**
 * A shell may redirect itself for a moment to start one program with a file, so that a file of the parent
 * says nothing; a place in the file does.
 */
function isReadByOthers(): boolean {
  try {
    const own = fstatSync(0)
    if (own.isFile()) return !/^pos:\s*0$/m.test(readFileSync('/proc/self/fdinfo/0', 'utf8'))
    const parents = statSync(`/proc/${process.ppid}/fd/0`)
    return parents.dev === own.dev && parents.ino === own.ino
  } catch {
    // It has none, or is another user's and not to be looked at.
    return false
  }
}
