import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry } from './journal.ts'
import { readHistory } from '../../../src/task/journal.ts'
import { kinds, spell, unstarted } from './kinds.ts'

type Transition = Extract<Entry, { what: 'transition' }>
type Result = Extract<Entry, { what: 'result' }>

/**
 * What must hold of one task, whatever has been killed. `lives`: what each of its supervisors said, the last
 * one having seen its end.
 */
export function judge(
  stateDir: string,
  key: string,
  name: string,
  lives: readonly (readonly Entry[])[],
): void {
  const ofTask = lives.map(entries => entries.filter(entry => entry.key === key))
  judgeTransitions(ofTask)
  judgeResults(stateDir, key, name, ofTask)
  judgeHistory(join(stateDir, 'tasks', key), name, ofTask)
}

/**
 * Of a task that its first supervisor has removed, or never came to make: nothing told contradicts itself.
 */
export function judgeGone(key: string, lives: readonly (readonly Entry[])[]): void {
  judgeNumbers(lives.map(entries => entries.filter(entry => entry.key === key)))
}

function judgeTransitions(lives: readonly (readonly Entry[])[]): void {
  const last = judgeNumbers(lives)
  assert.equal(last?.to, 'exited', 'the end was never told')
}

/**
 * Each number means one change, none is left out, and each change goes on where the one before has ended.
 * Gives the last.
 */
function judgeNumbers(lives: readonly (readonly Entry[])[]): Transition | undefined {
  const told = new Map<number, Transition>()
  for (const entries of lives) {
    let before = 0
    for (const change of entries.filter(entry => entry.what === 'transition')) {
      const earlier = told.get(change.sequence)
      if (earlier !== undefined) assert.deepEqual(change, earlier, 'one number, two changes')
      assert.ok(before === 0 || change.sequence === before + 1, `${change.sequence} was told after ${before}`)
      before = change.sequence
      told.set(change.sequence, change)
    }
  }
  const inOrder = [...told.values()].sort((a, b) => a.sequence - b.sequence)
  assert.deepEqual(
    inOrder.map(({ sequence }) => sequence),
    inOrder.map((_, index) => index + 1),
    'a transition was never told',
  )
  for (const [index, change] of inOrder.entries())
    assert.equal(change.from, inOrder[index - 1]?.to ?? 'configured')
  return inOrder.at(-1)
}

/** The journal on disk has each change that was told, once and in order, whoever was killed. */
function judgeHistory(dir: string, name: string, lives: readonly (readonly Entry[])[]): void {
  const told = new Map(
    lives.flatMap(entries => entries.filter(entry => entry.what === 'transition')).map(e => [e.sequence, e]),
  )
  const written = readHistory(dir).filter(({ sequence }) => sequence !== null)
  // A removal that was cut short has begun with the journal.
  if (kinds[name]?.destroyed && written.length === 0) return
  assert.deepEqual(
    written.map(({ sequence, from, to }) => [sequence, from, to]),
    [...told.values()]
      .sort((a, b) => a.sequence - b.sequence)
      .map(({ sequence, from, to }) => [sequence, from, to]),
    'the journal and what was told',
  )
}

function judgeResults(
  stateDir: string,
  key: string,
  name: string,
  lives: readonly (readonly Entry[])[],
): void {
  const results = lives.map(entries => entries.filter((entry): entry is Result => entry.what === 'result'))
  for (const [index, told] of results.entries())
    assert.ok(told.length <= 1, `supervisor ${index + 1} told ${told.length} results`)
  const result = results.at(-1)?.[0]
  assert.ok(result, 'the last supervisor told no result')
  for (const [earlier] of results) if (earlier) assert.deepEqual(earlier, result, 'two results for one task')
  judgeResult(result, evidenceOf(stateDir, key, name))
}

type Evidence = { readonly starts: number; readonly ending: string | null }

/** What the task itself has left. */
function evidenceOf(stateDir: string, key: string, name: string): Evidence {
  const local = join(stateDir, 'allocs', key, name, 'local')
  const starts = read(join(local, 'started'))?.split('\n').length ?? 1
  return { starts: starts - 1, ending: read(join(local, 'ending'))?.trim() ?? null }
}

function judgeResult(result: Result, { starts, ending }: Evidence): void {
  const told = spell(result)
  const seen = `${told}, by ${result.evidence}; started ${starts} times, its own word: ${ending}`
  assert.ok(starts <= 1, `started twice: ${seen}`)
  const kind = kinds[result.name]
  if (kind?.endings.includes(told)) {
    // Stopped before its first line, or half removed: then it has no word of its own.
    if (starts === 0) assert.ok(kind.stopped !== 'never' || kind.destroyed || kind.path, seen)
    if (told !== 'startFailed null null') assert.equal(result.evidence, 'record', seen)
  } else assert.ok(starts === 0 && unstarted.includes(told), seen)
  if (ending !== null) assert.equal(String(result.exitCode), ending, seen)
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
