/** Acts on what a program prints while it runs, as a person does who reads an address or a code. */

/** Takes all that a program has written to stderr so far. */
export type OnStderr = (soFar: string) => void;

/** Runs a program, acts once on the first thing found in what it prints, and waits for the end of both. */
export async function whenPrinted<Found, Ran>(
  find: (stderr: string) => Found | undefined,
  act: (found: Found) => unknown,
  run: (onStderr: OnStderr) => Promise<Ran>,
): Promise<Ran> {
  let acting: Promise<unknown> | undefined;
  const ran = await run((soFar) => {
    const found = acting === undefined ? find(soFar) : undefined;
    if (found === undefined) return;
    acting = (async () => await act(found))();
    acting.catch(() => {}); // It is awaited below, when the program has said what it has to say.
  });
  await acting;
  return ran;
}

/** The address to open that `login` printed: the browser's, or the device page's with its code. */
export function printedAddress(stderr: string): string | undefined {
  return stderr.match(/https?:\/\/\S+(?=\s)/g)?.find((url) => /[?&](?:response_type|user_code)=/.test(url));
}

/** The code that is to be typed by hand. */
export function printedCode(stderr: string): string | undefined {
  return /enter the code:\s+(\S+)\s/.exec(stderr)?.[1];
}
