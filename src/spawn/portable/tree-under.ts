import type { ChildProcess } from 'node:child_process'
import { GroupTree } from './group-tree.ts'
import type { Tree } from './tree.ts'
import { WindowsTree } from './windows-tree.ts'

/** What of a task can be reached from its leader on. */
export function treeUnder(child: ChildProcess): Tree {
  return process.platform === 'win32' ? new WindowsTree(child) : new GroupTree(child.pid as number)
}
