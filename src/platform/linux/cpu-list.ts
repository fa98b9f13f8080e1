/** `0-1,3` as a set: the kernel's list format (cpuset(7), "Formats"). */
export function parseCpuList(list: string): Set<number> {
  const cpus = new Set<number>()
  for (const part of list.split(',').filter(Boolean)) {
    const [first, last = first] = part.split('-').map(Number)
    if (first === undefined || last === undefined) continue
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu)
  }
  return cpus
}
