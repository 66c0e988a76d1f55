/** The same month as in test/long, with four files a day of each account and region. */
import { testS3Server } from '../contracts/s3-server.ts';

testS3Server('an S3 of 1,440 objects', { objects: 1440, kills: 2, runMs: 5000 });
