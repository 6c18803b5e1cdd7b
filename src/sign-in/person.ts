/** Owns what a person sees and does while they sign in: an address or a code, and the wait. */

import { renderUnicodeCompact } from "uqr";
import type { DeviceCode } from "../oauth/device.ts";
import type { Exchange } from "../oauth/http.ts";
import type { SignedInWords } from "../oauth/result-page.ts";
import { browserObstacle, openBrowser } from "../system/browser.ts";
import { formatSpan } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import type { SignedIn, SignInRequest } from "./sign-in.ts";
import { signInWithBrowser } from "./with-browser.ts";
import { signInWithDeviceCode } from "./with-device-code.ts";

/** What a person's sign-in needs of its surroundings. */
export interface PersonSurroundings {
  /** Bounds the whole sign-in, the person's part included. */
  readonly exchange: Exchange;
  readonly env: Environment;
  /** Asked for a device code by name. */
  readonly device: boolean;
  /** The person's own way to open an address. */
  readonly browserCommand?: string | undefined;
  /** The loopback port; 0 takes a free one. */
  readonly port: number;
  /** A QR code can be shown. */
  readonly terminal: boolean;
  /** Shows what must be acted on. */
  readonly act: (text: string) => void;
  /** Shows progress. */
  readonly note: (text: string) => void;
  /** Stores the sign-in; only then is it called a success. */
  readonly complete: (signedIn: SignedIn) => Promise<SignedInWords>;
}

/** Signs a person in, by the browser or a device code. Throws what ended the attempt. */
export async function signInPerson(request: SignInRequest, around: PersonSurroundings): Promise<void> {
  const { exchange, port, complete } = around;
  if (await byDeviceCode(around)) {
    await complete(await signInWithDeviceCode(request, exchange, (device) => showCode(around, device)));
  } else {
    await signInWithBrowser(request, { exchange, port, complete, open: (url) => showAddress(around, url) });
  }
}

/** True when a device code was asked for, or a browser started here would not come up before the person. */
async function byDeviceCode({ device, env, browserCommand, note }: PersonSurroundings): Promise<boolean> {
  // What a person chose beats every guess.
  if (device || browserCommand !== undefined || env("BROWSER") !== undefined) return device;
  const obstacle = await browserObstacle();
  if (obstacle !== undefined) note(`Signing in with a device code, because ${obstacle}.`);
  return obstacle !== undefined;
}

async function showAddress({ act, note, browserCommand }: PersonSurroundings, url: string): Promise<void> {
  act(`Open this address to sign in:\n\n  ${url}\n`);
  const outcome = await openBrowser(url, { command: browserCommand });
  note(
    outcome.opened
      ? "Waiting for the browser …"
      : `${
        capital(outcome.reason)
      }. Open the address yourself, or run this again with --no-browser. Waiting …`,
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function showCode({ act, note, terminal, exchange }: PersonSurroundings, device: DeviceCode): void {
  act(`On any device, open:\n\n  ${device.verificationUri}\n\nand enter the code:\n\n  ${device.userCode}\n`);
  if (device.verificationUriComplete !== undefined) {
    act(`Or open this address, which has the code in it:\n\n  ${device.verificationUriComplete}\n`);
    if (terminal) note(renderUnicodeCompact(device.verificationUriComplete, { border: 2 }));
  }
  note(`Waiting; the code lasts ${formatSpan(device.expiresAt - exchange.now())} …`);
}
