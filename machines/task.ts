import {
  assign,
  enqueueActions,
  fromCallback,
  fromPromise,
  type SnapshotFrom,
  setup,
  spawnChild,
  stopChild,
} from 'xstate'
import { failureFrom } from './failure.ts'
import { launchOutcome } from './outcome.ts'
import { isSooner, stopInput, stopRequest } from './stop-request.ts'
import type {
  LaunchInput,
  LaunchOutput,
  StopInput,
  TaskContext,
  TaskEvent,
  TaskInput,
  WatchInput,
} from './task-types.ts'

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>

/**
 * The life of one task. Effects are three actors, supplied with `.provide({ actors })`; all of them run
 * *again* when a snapshot is restored, so each must find out first what was done already, and being stopped
 * means to let go, never to kill:
 *
 * - `launch` starts the task or adopts the one its directory tells of. Reject with an Error, a Failure,
 *   `{ failure, at }`, or `{ outcome }` where there is an exit record.
 * - `watch` sends EXITED once, also for an end that lies in the past.
 * - `stop` delivers the graceful signal, waits for `killAt`, then kills the tree. It is started again
 *   whenever `killAt` moves.
 *
 * `launch` and `stop` are invoked: they go with their state. `watch` is spawned: it outlives `running`, into
 * `stopping`.
 *
 * Refusals are missing transitions; decisions.ts has the table for the executor's calls. How many states a
 * task has passed is not counted: it follows from the state and the context (passed-states.ts).
 */
export const taskMachine = setup({
  types: {
    context: {} as TaskContext,
    events: {} as TaskEvent,
    input: {} as TaskInput,
    children: {} as { launch: 'launch'; watch: 'watch'; stop: 'stop' },
  },
  actors: {
    launch: fromPromise<LaunchOutput, LaunchInput>(() => notProvided('launch')),
    watch: fromCallback<TaskEvent, WatchInput>(() => notProvided('watch')),
    stop: fromPromise<void, StopInput>(() => notProvided('stop')),
  },
  guards: {
    notEnded: ({ context }) => context.outcome === null,
    stopRequested: ({ context }) => context.stop !== null,
    stopIsSooner: ({ context, event }) => isSooner(context.stop, stopRequest(context.stop, event)),
    stopHasFailed: ({ context }) => context.stopFailure !== null,
    watchHasFailed: ({ context }) => context.watchFailure !== null,
  },
  actions: {
    rememberStop: assign({ stop: ({ context, event }) => stopRequest(context.stop, event) }),
    rememberOutcome: assign(({ context, event }) =>
      event.type === 'EXITED'
        ? { outcome: event.outcome, stop: context.stop ?? event.stop ?? null }
        : context,
    ),
    rememberStart: assign(({ context, event }) =>
      event.type === 'START'
        ? { key: event.key, startRequestedAt: event.at, name: event.name ?? context.name }
        : context,
    ),
    giveUpWatch: enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'xstate.error.actor.watch') return
      enqueue.stopChild('watch')
      enqueue.assign({ watchFailure: failureFrom(event.error, 'LOST') })
    }),
    watchAgain: enqueueActions(({ context, enqueue }) => {
      if (context.watchFailure === null) return
      enqueue.assign({ watchFailure: null })
      enqueue.spawnChild('watch', { id: 'watch', input: { key: keyOf(context) } })
    }),
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => ({
    name: input.name,
    key: null,
    limits: false,
    startRequestedAt: null,
    start: null,
    stop: null,
    stopFailure: null,
    watchFailure: null,
    outcome: null,
  }),
  initial: 'configured',
  on: {
    // XState ends a machine that gets an error nobody handles; a late one of an actor that was let go must
    // not.
    'xstate.error.actor.launch': {},
    'xstate.error.actor.watch': {},
    RECOVER: {
      guard: 'notEnded',
      target: '.exited',
      actions: assign(({ context, event }) => ({
        key: event.key,
        start: context.start ?? event.start,
        outcome: event.outcome,
      })),
    },
  },
  states: {
    configured: {
      on: {
        LIMIT: { target: 'limited', actions: assign({ limits: true }) },
        CONFIGURE: { actions: assign({ name: ({ event }) => event.name }) },
        START: { target: 'limited.launching', actions: 'rememberStart' },
      },
    },
    limited: {
      initial: 'ready',
      states: {
        ready: {
          on: {
            LIMIT: { actions: assign({ limits: true }) },
            CONFIGURE: { actions: assign({ name: ({ event }) => event.name }) },
            START: { target: 'launching', actions: 'rememberStart' },
          },
        },
        // START was accepted, and whether the program runs is not known yet.
        launching: {
          invoke: {
            id: 'launch',
            src: 'launch',
            input: ({ context }) => ({ key: keyOf(context) }),
            onDone: {
              target: '#task.running',
              actions: assign({ start: ({ event }) => event.output.start }),
            },
            onError: {
              target: '#task.exited',
              actions: assign({ outcome: ({ event }) => launchOutcome(event.error) }),
            },
          },
          on: {
            // Leaving on STOP would abandon the launch while its process may exist already: remembered, and
            // acted on in `running`.
            STOP: { actions: 'rememberStop' },
            KILL: { actions: 'rememberStop' },
            // A launch that found the records of a task which has ended already.
            EXITED: { target: '#task.exited', actions: 'rememberOutcome' },
          },
        },
      },
    },
    running: {
      entry: spawnChild('watch', { id: 'watch', input: ({ context }) => ({ key: keyOf(context) }) }),
      always: { guard: 'stopRequested', target: 'stopping' },
      on: {
        STOP: { target: 'stopping', actions: 'rememberStop' },
        KILL: { target: 'stopping', actions: 'rememberStop' },
        EXITED: { target: 'exited', actions: 'rememberOutcome' },
        RETRY: { guard: 'watchHasFailed', actions: 'watchAgain' },
        'xstate.error.actor.watch': { actions: 'giveUpWatch' },
      },
    },
    stopping: {
      entry: assign({ stopFailure: null }),
      invoke: {
        id: 'stop',
        src: 'stop',
        input: ({ context }) => stopInput(keyOf(context), context.stop),
        // Neither ends the task: only EXITED does, when nothing of it is left.
        // Kept as children they would report once more on every restore.
        onDone: { actions: stopChild('stop') },
        onError: {
          actions: [
            stopChild('stop'),
            assign({ stopFailure: ({ event }) => failureFrom(event.error, 'LOST') }),
          ],
        },
      },
      on: {
        STOP: [
          { guard: 'stopIsSooner', target: 'stopping', reenter: true, actions: 'rememberStop' },
          { guard: 'stopHasFailed', target: 'stopping', reenter: true },
        ],
        // Always anew: the kill that was sent before may not have reached everything.
        KILL: { target: 'stopping', reenter: true, actions: 'rememberStop' },
        EXITED: { target: 'exited', actions: 'rememberOutcome' },
        RETRY: [
          { guard: 'stopHasFailed', target: 'stopping', reenter: true, actions: 'watchAgain' },
          { guard: 'watchHasFailed', actions: 'watchAgain' },
        ],
        'xstate.error.actor.watch': { actions: 'giveUpWatch' },
      },
    },
    // A spawned actor would stay in the final snapshot.
    exited: { type: 'final', entry: stopChild('watch') },
  },
})

function notProvided(actor: string): never {
  throw new Error(`The task machine's actor "${actor}" is not provided: use taskMachine.provide({ actors }).`)
}

function keyOf({ key }: TaskContext): string {
  if (key === null) throw new Error('an actor before START')
  return key
}
