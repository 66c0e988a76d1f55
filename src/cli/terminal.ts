/** The two streams of a run: stdout carries data only, stderr carries progress and messages. */
import pc from 'picocolors';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { printableLines } from '../printable.ts';
import { defaultMask, type Mask } from '../secrets.ts';

/** A table in a pipe is as wide as it needs; a terminal that does not tell its width counts as this wide. */
const DEFAULT_WIDTH = 80;
/** Drawn this often at most, so that a terminal over a slow line is not flooded. */
const PROGRESS_EVERY_MS = 200;

const CLEAR_LINE = '\r\u001b[2K';

export class Terminal {
  readonly outIsTerminal: boolean;
  /** Columns of the terminal; null in a pipe or file, where nothing is wrapped. */
  readonly width: number | null;
  /** Colours for stdout. */
  readonly colors: ReturnType<typeof pc.createColors>;
  level: LogLevel = 'info';
  /** Of every message, and of whatever quotes logs beside the answers to a person's own SQL. */
  mask: Mask = defaultMask;
  readonly #errIsTerminal: boolean;
  readonly #errColors: ReturnType<typeof pc.createColors>;
  #progressShown = false;
  #progressAt = 0;

  constructor() {
    this.outIsTerminal = process.stdout.isTTY === true;
    this.#errIsTerminal = process.stderr.isTTY === true;
    this.width = this.outIsTerminal ? process.stdout.columns || DEFAULT_WIDTH : null;
    // https://no-color.org: any value that is not empty.
    const wanted = !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
    this.colors = pc.createColors(wanted && this.outIsTerminal);
    this.#errColors = pc.createColors(wanted && this.#errIsTerminal);
  }

  /** Writes data to stdout and waits until the reader has taken it. */
  out(text: string | Uint8Array): Promise<void> {
    this.clearProgress();
    return new Promise((resolve) => {
      // An error of the stream (a reader that went away) is told to its listener in main.ts.
      process.stdout.write(text, () => resolve());
    });
  }

  error(text: string): void {
    this.#say('error', this.#errColors.red('error:'), text);
  }

  warn(text: string): void {
    this.#say('warn', this.#errColors.yellow('warning:'), text);
  }

  info(text: string): void {
    this.#say('info', '', text);
  }

  debug(text: string): void {
    this.#say('debug', this.#errColors.dim('debug:'), text);
  }

  /** A line of a log; one that is data for a program stands alone. */
  log(level: LogLevel, line: string, isData: boolean): void {
    const prefix = {
      error: this.#errColors.red('error:'),
      warn: this.#errColors.yellow('warning:'),
      info: '',
      debug: '',
    };
    this.#say(level, isData ? '' : prefix[level], line);
  }

  /** One line that is drawn over; only where stderr is a terminal and messages are wanted. */
  progress(text: string): void {
    const now = Date.now();
    if (!this.#errIsTerminal || !this.#shows('info') || now - this.#progressAt < PROGRESS_EVERY_MS) return;
    this.#progressAt = now;
    this.#progressShown = true;
    process.stderr.write(
      `${CLEAR_LINE}${this.#errColors.dim(text.slice(0, (process.stderr.columns || DEFAULT_WIDTH) - 1))}`,
    );
  }

  clearProgress(): void {
    if (this.#progressShown) process.stderr.write(CLEAR_LINE);
    this.#progressShown = false;
  }

  #shows(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(this.level);
  }

  #say(level: LogLevel, prefix: string, text: string): void {
    if (!this.#shows(level)) return;
    this.clearProgress();
    process.stderr.write(`${prefix === '' ? '' : `${prefix} `}${printableLines(this.mask.text(text))}\n`);
  }
}
