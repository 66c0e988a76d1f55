/** Runs a command for each message, never by a shell: the message as JSON on its standard input. */

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { z } from 'zod';
import { shown } from '../printable.ts';
import { readSecret } from '../secret-value.ts';
import { DeliveryError, type Message, type Sink } from '../sink.ts';
import { SECOND_MS } from '../time.ts';
import { messageJson } from './json.ts';
import { sinkType } from './kind.ts';
import { secretPlace, text, timeout } from './options.ts';
import { quoted } from './text.ts';

const TIMEOUT_MS = 60 * SECOND_MS;
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2 * SECOND_MS;
/** For what is still in the pipe when the command has ended. */
const LINGER_MS = SECOND_MS;
/** sysexits.h: "temporary failure; user is invited to retry". */
const EX_TEMPFAIL = 75;
/** Of what the command says on standard error. */
const SAID_MAX_BYTES = 8192;
/** Of one of them. */
const VALUE_MAX = 128;
/** All that a command gets of the environment, besides what is about the message and what the config names. */
const PASSED = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;

const options = z.strictObject(
  {
    command: z
      .array(text, 'expected a list: the program and its arguments')
      .min(1, 'expected a list: the program and its arguments')
      .describe('The program and its arguments. A relative path with a `/` starts from the folder of the config.'),
    env: z
      .record(
        z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, 'expected the name of a variable: letters, digits and _'),
        secretPlace,
        'expected names of variables and env:NAME or file:path',
      )
      .describe('Further variables of its environment, each from `env:NAME` or `file:path`.')
      .default({}),
    timeout: timeout.default(TIMEOUT_MS),
  },
  'expected a mapping',
);

export const exec = sinkType(options, async ({ command, env, timeout: timeoutMs }, { dir }): Promise<Sink> => {
  const [program = '', ...args] = command;
  const path = program.includes('/') ? resolve(dir, program) : program;
  const secrets = Object.entries(env).map(([name, place]) => [name, readSecret(place, dir)] as const);
  return {
    deliver: async (message, signal) => {
      const environment = {
        ...passedEnvironment(),
        ...Object.fromEntries(secrets.map(([name, secret]) => [name, secret.reveal()])),
        ...messageEnvironment(message),
      };
      const { status, endedBy, cause, said } = await run(
        [path, ...args],
        { dir, environment, timeoutMs, signal },
        messageJson(message),
      );
      if (status === 0) return null;
      const about = status === EX_TEMPFAIL || cause !== null ? 'sink' : 'message';
      const why = cause ?? (endedBy === null ? `exit status ${status}` : `ended by ${endedBy}`);
      throw new DeliveryError(about, `cannot run ${program}: ${quoted(said === '' ? why : `${why}: ${said}`)}`);
    },
    render: (message) => `${JSON.stringify(command)}\n${messageJson(message)}`,
    close: async () => {},
  };
});

function passedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** Values of ours alone, none of a log's. */
function messageEnvironment({ key, kind, severity, change, alerts, alertsTotal }: Message): Record<string, string> {
  const [alert] = alerts;
  return {
    TRAILHOUND_KEY: key,
    TRAILHOUND_KIND: kind,
    TRAILHOUND_SEVERITY: severity,
    TRAILHOUND_ALERTS: String(alertsTotal),
    ...(change !== null && { TRAILHOUND_CHANGE: change }),
    ...(alert !== undefined &&
      alertsTotal === 1 && {
        TRAILHOUND_ALERT_ID: shown(alert.id, VALUE_MAX),
        TRAILHOUND_DETECTOR: shown(alert.detector, VALUE_MAX),
      }),
  };
}

interface Ended {
  /** Null when it was ended by a signal or never ran. */
  readonly status: number | null;
  readonly endedBy: NodeJS.Signals | null;
  /** Why no later message would fare better: it cannot be run, or took too long. */
  readonly cause: string | null;
  readonly said: string;
}

function run(
  [program = '', ...args]: readonly string[],
  surroundings: {
    readonly dir: string;
    readonly environment: Record<string, string>;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
  input: string,
): Promise<Ended> {
  const { dir, environment, timeoutMs, signal } = surroundings;
  signal.throwIfAborted();
  return new Promise((settle, reject) => {
    // A group of its own, so that what the command started ends with it.
    const child = spawn(program, args, {
      cwd: dir,
      env: environment,
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    let said = '';
    let cause: string | null = null;
    let killing: NodeJS.Timeout | undefined;
    let lingering: NodeJS.Timeout | undefined;
    const end = () => {
      killGroup(child.pid, 'SIGTERM');
      killing ??= setTimeout(() => killGroup(child.pid, 'SIGKILL'), GRACE_MS);
    };
    const late = setTimeout(() => {
      cause = `it did not end within ${timeoutMs / SECOND_MS} s`;
      end();
    }, timeoutMs);
    signal.addEventListener('abort', end);
    const finish = () => {
      clearTimeout(late);
      clearTimeout(killing);
      clearTimeout(lingering);
      signal.removeEventListener('abort', end);
      // What it had started and did not end when told to.
      if (cause !== null || signal.aborted) killGroup(child.pid, 'SIGKILL');
    };
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (part: string) => {
      if (said.length < SAID_MAX_BYTES) said += part;
    });
    // A command need not read what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error) => {
      finish();
      settle({ status: null, endedBy: null, cause: error.message, said: '' });
    });
    // What the command left behind may hold its standard error open for ever.
    child.once('exit', () => {
      lingering = setTimeout(() => child.stderr.destroy(), LINGER_MS);
    });
    child.once('close', (status, endedBy) => {
      finish();
      if (signal.aborted) return reject(signal.reason as Error);
      settle({ status, endedBy, cause, said });
    });
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}
