/** Opens a sink as a config would, and tells what became of a delivery. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeliveryError, type Message, type Sink } from '../../src/sink.ts';
import { openSink, type SinkContext } from '../../src/sinks/open.ts';

function contextIn(dir: string, context: Partial<SinkContext> = {}): SinkContext {
  return { id: 'soc', aws: {}, dir, write: async () => undefined, ...context };
}

export const tempDir = (): string => mkdtempSync(join(tmpdir(), 'trailhound-sinks-'));

export const open = (type: string, options: unknown, context: Partial<SinkContext> = {}): Promise<Sink> =>
  openSink(type, options, contextIn(context.dir ?? tempDir(), context));

/** `taken`, or what the refusal is about with its text. */
export async function outcome(sink: Sink, message: Message): Promise<string> {
  try {
    await sink.deliver(message, new AbortController().signal);
    return 'taken';
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return `${error.about}: ${error.message}${error.retryAfterMs > 0 ? ` (after ${error.retryAfterMs} ms)` : ''}`;
  }
}
