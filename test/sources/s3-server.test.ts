/** The same month as in test/long, with a file a day of each account and region, and no silences. */
import { testS3Server } from '../contracts/s3-server.ts';

testS3Server('an S3 of 360 objects', { objects: 360, kills: 2, runMs: 2000, stalls: false });
