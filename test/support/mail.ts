/** An SMTP server on loopback that keeps mails, and Python's reader of MIME, which is not the writer's own. */
import { spawnSync } from 'node:child_process';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface MailPeer {
  readonly port: number;
  /** As they came, between the commands. */
  readonly mails: Buffer[];
  /** `MAIL FROM` and `RCPT TO` of each. */
  readonly envelopes: (readonly string[])[];
  close(): Promise<void>;
}

export async function startMailPeer(options: SMTPServerOptions = {}): Promise<MailPeer> {
  const mails: Buffer[] = [];
  const envelopes: (readonly string[])[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData: (stream, session, callback) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push(Buffer.concat(parts));
        const { mailFrom, rcptTo } = session.envelope;
        envelopes.push([mailFrom === false ? '' : mailFrom.address, ...rcptTo.map(({ address }) => address)]);
        callback();
      });
    },
    ...options,
  });
  // A client that goes away in the middle is part of the tests.
  server.on('error', () => undefined);
  const listening = await new Promise<{ port: number }>((resolve) => {
    const net = server.listen(0, '127.0.0.1', () => resolve(net.address() as { port: number }));
  });
  return {
    port: listening.port,
    mails,
    envelopes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface ReadMail {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Leaves, in order. */
  readonly parts: readonly { readonly type: string; readonly filename: string | null; readonly content: string }[];
  readonly defects: readonly string[];
}

const READER = `
import base64, email, email.policy, json, sys
out = []
for line in sys.stdin:
    mail = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    out.append({
        "headers": [[name, str(value)] for name, value in mail.items()],
        "parts": [{"type": part.get_content_type(), "filename": part.get_filename(), "content": part.get_content() if part.get_content_maintype() == "text" else ""} for part in leaves],
        "defects": [str(type(defect).__name__) for part in mail.walk() for defect in part.defects],
    })
print(json.dumps(out))
`;

export const pythonMissing = spawnSync('python3', ['-c', 'import email'], { stdio: 'ignore' }).status !== 0;
if (pythonMissing) process.stderr.write('SKIPPED: python3 is not installed, which reads mails\n');

export function readMails(mails: readonly Buffer[]): readonly ReadMail[] {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', READER], {
    input: mails.map((mail) => `${mail.toString('base64')}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as ReadMail[];
}
