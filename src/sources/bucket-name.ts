/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u.test(name);
}
