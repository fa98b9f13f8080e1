import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

type Region = { readonly start: number; readonly end: number; readonly flags: readonly string[] }

/**
 * Whether a text is anywhere in the readable memory of a process. Root only: ours cannot be read by others.
 */
export function memoryHas(pid: number, text: string): boolean {
  return regionsWith(pid, text).length > 0
}

/** The mappings that hold a text, with their VmFlags of proc_pid_smaps(5). */
export function regionsWith(pid: number, text: string): Region[] {
  const fd = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return regionsOf(pid).filter(region => contentOf(fd, region).includes(text))
  } finally {
    closeSync(fd)
  }
}

function regionsOf(pid: number): Region[] {
  const blocks = readFileSync(`/proc/${pid}/smaps`, 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  return blocks.flatMap(block => {
    const [, start = '', end = '', readable] = /^([0-9a-f]+)-([0-9a-f]+) (r?)/.exec(block) ?? []
    const flags = (/^VmFlags: (.*)$/m.exec(block)?.[1] ?? '').trim().split(' ')
    const region = { start: Number.parseInt(start, 16), end: Number.parseInt(end, 16), flags }
    return readable === 'r' ? [region] : []
  })
}

function contentOf(fd: number, { start, end }: Region): Buffer {
  const bytes = Buffer.alloc(end - start)
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start))
  } catch {
    // The kernel's own pages ([vvar]).
    return Buffer.alloc(0)
  }
}
