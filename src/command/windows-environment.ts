import { win32 } from 'node:path'
import { invalidArgument } from '../invalid-argument.ts'

/**
 * What hardly a program of Windows starts without. Facts of the system are the supervisor's own; what is the
 * user's is the task's directory: Node puts the supervisor's own values in the place of any of these that is
 * missing.
 */
export function windowsDefaults(
  own: NodeJS.ProcessEnv,
  { taskDir, userName }: { readonly taskDir: string; readonly userName: string },
): Record<string, string> {
  const root = own.SystemRoot ?? own.SYSTEMROOT ?? 'C:\\Windows'
  const system = win32.join(root, 'System32')
  return {
    SystemRoot: root,
    SystemDrive: own.SystemDrive ?? own.SYSTEMDRIVE ?? win32.parse(root).root.slice(0, 2),
    windir: root,
    ComSpec: win32.join(system, 'cmd.exe'),
    PATH: [system, root, win32.join(system, 'Wbem')].join(';'),
    PATHEXT: '.COM;.EXE;.BAT;.CMD',
    TEMP: taskDir,
    TMP: taskDir,
    USERPROFILE: taskDir,
    HOMEDRIVE: win32.parse(taskDir).root.slice(0, 2),
    HOMEPATH: taskDir.slice(2),
    USERNAME: userName,
    USERDOMAIN: '',
    LOGONSERVER: '',
  }
}

/**
 * Names differ in their letters, not in the case of them: the later ones win, under the name that they have.
 * Throws INVALID_ARGUMENT for two in one.
 */
export function mergedWindows(...parts: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const merged = new Map<string, readonly [string, string]>()
  for (const part of parts) {
    const seen = new Set<string>()
    for (const [name, value] of Object.entries(part)) {
      const key = name.toUpperCase()
      if (seen.has(key))
        throw invalidArgument(
          'command.env',
          name,
          `each name once: ${key} is the same in any case of its letters`,
        )
      seen.add(key)
      merged.set(key, [name, value])
    }
  }
  return Object.fromEntries(merged.values())
}
