import { existsSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import type { TerminalKeeper, TerminalSize } from '../../index.ts'
import { HoldfastError } from '../../errors.ts'
import { ScreenModes } from './screen-modes.ts'

const defaultSize: TerminalSize = { rows: 24, columns: 80 }

/** Throws INVALID_ARGUMENT where standard input is no terminal. */
export function requireTerminal(flag: string): void {
  if (process.stdin.isTTY) return
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `${flag}: standard input is no terminal, so that there is none to give the task`,
    {
      hint: 'Leave -t out; -i gives it the standard input that there is. To attach from a terminal later: -t --detach. Where there is none: script -qc "holdfast ..." /dev/null',
    },
  )
}

/** The caller's window, or the usual size where nobody has one. */
export function windowSize(): TerminalSize {
  for (const stream of [process.stdout, process.stderr]) {
    const { columns = 0, rows = 0 } = stream
    if (columns > 0 && rows > 0) return { rows, columns }
  }
  return defaultSize
}

/**
 * What a program has to know of the caller's terminal; and a shell, for those that start one in it: accounts
 * such as `nobody` have none.
 */
export function terminalVariables(): Record<string, string> {
  const { TERM = 'xterm', COLORTERM } = process.env
  const SHELL = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh'
  return { TERM, SHELL, ...(COLORTERM !== undefined && { COLORTERM }) }
}

/** The caller's terminal while a task has it: every key is the task's, and what is shown is the task's. */
export class CallerTerminal {
  readonly #stdin = process.stdin as ReadStream
  readonly #keeper: TerminalKeeper | null
  readonly #modes = new ScreenModes()
  readonly #again = (): void => this.#takeAgain()
  #resumed: () => void = () => {}

  private constructor(keeper: TerminalKeeper | null) {
    this.#keeper = keeper
  }

  static async take(): Promise<CallerTerminal> {
    const { makeTerminalRaw } = await import('../../index.ts')
    const terminal = new CallerTerminal(await makeTerminalRaw())
    if (terminal.#keeper === null) terminal.#stdin.setRawMode(true)
    process.on('SIGCONT', terminal.#again)
    return terminal
  }

  /** What is typed; null: the terminal has gone. */
  onInput(typed: (bytes: Uint8Array | null) => void): void {
    this.#stdin.on('data', typed).once('end', () => typed(null))
    this.#stdin.on('error', () => typed(null))
  }

  /**
   * Also when this program goes on after it was stopped: whoever had the terminal meanwhile may have changed
   * it.
   */
  onSize(changed: (size: TerminalSize) => void): void {
    this.#resumed = () => changed(windowSize())
    process.on('SIGWINCH', this.#resumed)
  }

  /** To be told of all that is shown. */
  shows(bytes: Uint8Array): void {
    if (this.#modes.read(bytes)) this.#keeper?.say(this.#modes.undo)
  }

  /** As it was before. */
  async giveBack(): Promise<void> {
    process.off('SIGCONT', this.#again).off('SIGWINCH', this.#resumed)
    this.#stdin.removeAllListeners('data').pause()
    if (this.#keeper === null) this.#stdin.setRawMode(false)
    await this.#keeper?.restore()
    // What has not been read is nobody's any more, and must not keep us.
    this.#stdin.destroy()
  }

  #takeAgain(): void {
    this.#keeper?.say(this.#modes.undo)
    this.#resumed()
  }
}
