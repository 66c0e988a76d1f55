/** A month of an organisation in a bucket of moto, whole. */
import { testS3Server } from '../contracts/s3-server.ts';

testS3Server('an S3 of 50,000 objects', {
  objects: Number(process.env['TRAILHOUND_S3_OBJECTS'] ?? 50_000),
  kills: Number(process.env['TRAILHOUND_KILLS'] ?? 8),
  runMs: 120_000,
  stalls: true,
});
