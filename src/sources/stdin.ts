/** Standard input, and named pipes, as sources. Lines of JSON are cut into parts at line ends, so that a stream without an end is stored as it comes. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { LogFile, Source } from '../source.ts';

/** Cut at the first line end behind so many bytes: the same stream is cut at the same places, and each part travels to a thread whole. */
const PART_BYTES = 4 * 1024 * 1024;
/** A first line longer than this is taken for one document, and a line longer than this is left to the decoder. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
/** A stream that pauses this long gets its complete lines stored. */
const IDLE_MS = 1000;
const NEWLINE = 0x0a;
const NO_HINT = { service: null, account: null, region: null, day: null } as const;

/** The keys are `stdin#0`, `stdin#1`, … for parts, or `stdin` for one document. */
export function openStdinSource(stream: Readable): Source {
  return streamSource('-', 'stdin', [], async () => stream);
}

/** A source of one stream, which can be listed and opened once. Nothing is known of it before it is read, so its version never repeats. */
export function streamSource(
  name: string,
  key: string,
  paths: readonly string[],
  open: () => Promise<Readable>,
): Source {
  const version = randomUUID();
  const part = (number: number, bytes: Buffer): LogFile => ({
    key: `${key}#${number}`,
    sizeBytes: bytes.length,
    version,
    hint: NO_HINT,
    content: { type: 'stream', open: async () => Readable.from([bytes]) },
  });
  const rest = (ofKey: string, head: Buffer, slices: Slices): LogFile => ({
    key: ofKey,
    sizeBytes: 0,
    version,
    hint: NO_HINT,
    content: { type: 'stream', open: async () => Readable.from(slices.behind(head)) },
  });
  return {
    name,
    paths,
    async *list() {
      const slices = new Slices(await open());
      const head = await slices.firstLine();
      if (!isJsonLine(head)) {
        yield rest(key, head, slices);
        return;
      }
      let chunks = [head];
      let length = head.length;
      const keep = (bytes: Buffer): void => {
        chunks = [bytes];
        length = bytes.length;
      };
      for (let number = 0; ; ) {
        if (length > PART_BYTES) {
          const bytes = Buffer.concat(chunks);
          const end = bytes.indexOf(NEWLINE, PART_BYTES) + 1;
          keep(bytes.subarray(end));
          if (end > 0) {
            yield part(number++, bytes.subarray(0, end));
            continue;
          }
          if (length > PART_BYTES + LINE_BYTES_MAX) {
            yield rest(`${key}#${number}`, bytes, slices);
            return;
          }
        }
        const next = await slices.next(IDLE_MS);
        if (next === 'end') {
          if (length > 0) yield part(number, Buffer.concat(chunks));
          return;
        }
        if (next === 'idle') {
          const bytes = Buffer.concat(chunks);
          const end = bytes.lastIndexOf(NEWLINE) + 1;
          keep(bytes.subarray(end));
          if (end > 0) yield part(number++, bytes.subarray(0, end));
        } else {
          chunks.push(next);
          length += next.length;
        }
      }
    },
    close: async () => {},
  };
}

/** The stream's bytes, with a way to notice that none come. */
class Slices {
  readonly #iterator: AsyncIterator<Buffer>;
  #pending: Promise<IteratorResult<Buffer>> | null = null;

  constructor(stream: Readable) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  /** Waits without end when `idleMs` is not given. */
  async next(idleMs?: number): Promise<Buffer | 'idle' | 'end'> {
    this.#pending ??= this.#iterator.next();
    let timer: NodeJS.Timeout | undefined;
    const idle = new Promise<'idle'>((resolve) => {
      if (idleMs !== undefined) timer = setTimeout(() => resolve('idle'), idleMs);
    });
    const result = await Promise.race([this.#pending, idle]);
    clearTimeout(timer);
    if (result === 'idle') return 'idle';
    this.#pending = null;
    return result.done === true ? 'end' : result.value;
  }

  /** All bytes up to where the first line is complete, or so many that it cannot be one. */
  async firstLine(): Promise<Buffer> {
    let head = Buffer.alloc(0);
    for (;;) {
      const text = head.findIndex((byte) => byte > 0x20);
      // Lines of JSON begin with an object; anything else need not be waited for.
      if (text >= 0 && head[text] !== 0x7b) return head;
      if ((text >= 0 && head.includes(NEWLINE, text)) || head.length > LINE_BYTES_MAX) return head;
      const next = await this.next();
      if (next === 'end' || next === 'idle') return head;
      head = Buffer.concat([head, next]);
    }
  }

  async *behind(head: Buffer): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let next = await this.next(); next !== 'end'; next = await this.next()) if (next !== 'idle') yield next;
    } finally {
      await this.#iterator.return?.();
    }
  }
}

/** The first line is a whole object: what follows are lines of the same kind. */
function isJsonLine(head: Buffer): boolean {
  const text = head.findIndex((byte) => byte > 0x20);
  const end = text < 0 ? -1 : head.indexOf(NEWLINE, text);
  if (end < 0) return false;
  try {
    JSON.parse(head.toString('utf8', text, end));
    return true;
  } catch {
    return false;
  }
}
