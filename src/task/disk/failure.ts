import { HoldfastError } from '../../errors.ts'
import type { DiskRefusal } from '../../spawn/disk.ts'
import { nativeMissing } from '../../spawn/native-hint.ts'
import { nativeProgram } from '../../spawn/native-program.ts'

/** The native program. Throws UNSUPPORTED where there is none. */
export function nativeForDisk(): string {
  const program = nativeProgram()
  if ('unavailable' in program) throw nativeMissing(program.unavailable)
  return program.path
}

/** Throws LIMIT_FAILED, stage `disk`. */
export function refuseDisk({ step, errno }: DiskRefusal, path: string, what: string): never {
  throw new HoldfastError('LIMIT_FAILED', `diskBytes: ${what}: ${step}: ${errno}`, {
    stage: 'disk',
    errno,
    path,
  })
}
