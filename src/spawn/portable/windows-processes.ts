import { execFile } from 'node:child_process'
import { win32 } from 'node:path'

export type WindowsProcess = { readonly pid: number; readonly parent: number }

/**
 * Every process there is. Node cannot ask, so that programs of the system are: wmic, which is quick but gone
 * from newer versions, then PowerShell. Null where neither answers.
 */
export async function windowsProcesses(): Promise<WindowsProcess[] | null> {
  for (const ask of [byWmic, byPowerShell]) {
    const table = parseProcesses((await ask()) ?? '')
    if (table.length > 0) return table
  }
  return null
}

/**
 * Lines of two numbers, the parent's first. wmic tells in UTF-16 or in the console's code page: digits are
 * digits in both.
 */
export function parseProcesses(text: string): WindowsProcess[] {
  return [...text.replaceAll('\0', '').matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)].map(([, parent, pid]) => ({
    pid: Number(pid),
    parent: Number(parent),
  }))
}

/**
 * Who of the table is among these, or descends from one of them (who need not live any more); never the one
 * who asks.
 */
export function descendantsOf(roots: ReadonlySet<number>, table: readonly WindowsProcess[]): number[] {
  const found = new Set(roots)
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const { pid, parent } of table) if (found.has(parent) && pid !== 0) found.add(pid)
  }
  const living = new Set(table.map(({ pid }) => pid))
  return [...found].filter(pid => living.has(pid) && pid !== process.pid)
}

function byWmic(): Promise<string | null> {
  return systemProgram('wbem\\WMIC.exe', ['process', 'get', 'ParentProcessId,ProcessId'])
}

function byPowerShell(): Promise<string | null> {
  const script = 'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ParentProcessId) $($_.ProcessId)" }'
  const program = 'WindowsPowerShell\\v1.0\\powershell.exe'
  return systemProgram(program, ['-NoProfile', '-NonInteractive', '-Command', script])
}

/** Runs a program of Windows' own, by its full path. What it prints; null when it fails. */
export function systemProgram(name: string, args: readonly string[]): Promise<string | null> {
  const path = win32.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', name)
  return new Promise(resolve => {
    execFile(
      path,
      args,
      { encoding: 'latin1', windowsHide: true, maxBuffer: 2 ** 24, timeout: 30_000 },
      (error, stdout) => resolve(error === null ? stdout : null),
    )
  })
}
