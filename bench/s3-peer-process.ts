/** A bucket on loopback in a process of its own, so that what it costs is not counted: s3-peer-process.ts <folder> <bucket> <latency in ms>. Ends with its standard input. */
import { objectsIn, startS3Peer } from '../test/support/s3-peer.ts';

const [, , folder = '', bucket = '', latencyMs = '0'] = process.argv;
const peer = await startS3Peer({
  bucket,
  objects: objectsIn(folder),
  ...(Number(latencyMs) > 0 && { latencyMs: Number(latencyMs) }),
});
console.log(peer.url);
process.stdin.resume().once('end', () => void peer.close());
