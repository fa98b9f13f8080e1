import { jsonHelp } from '../../commands/subcommand.ts'
import { parseCount } from '../../parse/number.ts'
import { parseSize } from '../../parse/size.ts'
import { HoldfastError } from '../../../errors.ts'
import { type Flag, same } from '../flag.ts'

export const outputFlags: readonly Flag[] = [
  {
    flag: '--log-max-size <SIZE>',
    help: { run: 'begin a new log file when one has this size (default: 32M, in 4 files)' },
    sets: {
      field: 'command.logs',
      read: ({ command }, text: string, flag) => {
        command.logs = { maxBytes: parseSize(flag, text), maxFiles: 5 }
      },
    },
  },
  {
    flag: '--log-max-files <COUNT>',
    help: { run: 'how many are kept, the current one among them (default: 5, with --log-max-size)' },
    sets: {
      field: 'command.logs',
      read: ({ command }, text: string, flag) => {
        if (typeof command.logs !== 'object')
          throw new HoldfastError('INVALID_ARGUMENT', `${flag} needs --log-max-size: files of which size?`)
        command.logs.maxFiles = parseCount(flag, text)
      },
    },
  },
  {
    flag: '--json',
    help: same(jsonHelp, 'run', 'exec', 'update'),
  },
  {
    flag: '--result <FILE>',
    help: { run: 'write the result there as JSON, besides what is printed' },
  },
  {
    flag: '-q, --quiet',
    help: same('do not print how it ended', 'run', 'exec'),
  },
]
