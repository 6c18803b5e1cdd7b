/** An API host for tests that answers some paths, and sends blanks without an end on all others. */

import { makeCertificates } from "../cloud/certificates.ts";

/** An API host; dispose of it. */
export interface DrippingApi extends AsyncDisposable {
  /** Host and port. */
  readonly host: string;
  /** PEM. */
  readonly caPem: string;
  /** How many requests were dripped on. */
  dripped(): number;
}

/** For how long it drips, in milliseconds, so that a test ends even where the program does not. */
const LONGEST = 15_000;
const PAUSE = 50;

/** Starts one; `answer` gives JSON for a path, or nothing. It trades any personal access token for one of its own. */
export async function startDrippingApi(answer: (path: string) => unknown = () => {}): Promise<DrippingApi> {
  const { caPem, certificatePem: cert, keyPem: key } = await makeCertificates(new Date());
  const blank = new TextEncoder().encode(" ");
  let dripped = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const known = pathname.endsWith("/exchange")
      ? { access_token: "minted", expires_in: 3600 }
      : answer(pathname);
    if (known !== undefined) return Response.json(known);
    dripped++;
    let timer: ReturnType<typeof setInterval>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        let left = LONGEST / PAUSE;
        timer = setInterval(() => {
          if (left-- > 0) return controller.enqueue(blank);
          clearInterval(timer);
          controller.close();
        }, PAUSE);
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(body, { headers: { "content-type": "application/json" } });
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    caPem,
    dripped: () => dripped,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
