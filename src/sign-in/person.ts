/** What a person sees and does while they sign in: an address or a code, and the wait. */

import { renderUnicodeCompact } from "uqr";
import { AppError } from "../errors.ts";
import { capital } from "../text.ts";
import type { DeviceCode } from "../oauth/device.ts";
import type { HttpContext } from "../http/bounded.ts";
import type { SignedInLabels } from "../oauth/result-page.ts";
import { browserObstacle, openBrowser } from "../system/browser.ts";
import { formatSpan } from "../system/clock.ts";
import type { Environment } from "../system/environment.ts";
import { type Keys, readPasted } from "./paste.ts";
import { type PreparedSignIn, prepareSignIn, type SignedIn, type SignInRequest } from "./sign-in.ts";
import { signInWithBrowser, type WaitingForBrowser } from "./with-browser.ts";
import { signInWithDeviceCode } from "./with-device-code.ts";

/** What a person's sign-in is handed. */
export interface PersonSignIn {
  /** Bounds the whole sign-in, the person's part included. */
  readonly http: HttpContext;
  readonly env: Environment;
  /** Asked for a device code by name. */
  readonly device: boolean;
  /** The loopback port; 0 takes a free one. */
  readonly port: number;
  /** A QR code can be shown. */
  readonly terminal: boolean;
  /** What is typed, where a person can be asked; Ctrl-C comes as a key then. */
  readonly keys?: Keys | undefined;
  /** Shows what must be acted on. */
  readonly important: (text: string) => void;
  /** Shows progress. */
  readonly info: (text: string) => void;
  /** Given where nothing can be shown: what the attempt ends with when no browser comes up. */
  readonly unseen?: AppError | undefined;
  /** Stores the sign-in; only then is it called a success. */
  readonly complete: (signedIn: SignedIn) => Promise<SignedInLabels>;
}

/**
 * Signs a person in, by the browser or a device code.
 *
 * @throws {AppError} what ended the attempt
 */
export async function signInPerson(request: SignInRequest, context: PersonSignIn): Promise<void> {
  const { http, port, complete, info } = context;
  const prepared = await prepareSignIn(http, request);
  const { browserCommand } = prepared.choices;
  const obstacle = await obstacleFor(context, browserCommand);
  if (obstacle !== undefined && context.unseen !== undefined) throw context.unseen;
  if (context.device || (obstacle !== undefined && prepared.deviceEndpoint !== undefined)) {
    if (!context.device) info(`Signing in with a device code, because ${obstacle}.`);
    const signedIn = await byDeviceCode(prepared, context);
    if (signedIn !== undefined) return void await complete(signedIn);
  }
  let reading: Promise<void> | undefined;
  try {
    await signInWithBrowser(prepared, {
      http,
      port,
      complete,
      askedAgain: () => context.important(ASKED_AGAIN),
      async open(waiting) {
        const opened = await showAddress(context, waiting, browserCommand, obstacle);
        if (opened || waiting.over.aborted) return;
        if (context.unseen !== undefined) throw context.unseen;
        reading = readAddress(context, waiting);
        await reading;
      },
    });
  } finally {
    // The terminal is given back before anything else is said.
    await reading?.catch(() => {});
  }
}

/** Why a browser started here would not come up before the person; what they chose themselves beats every guess. */
export async function obstacleFor(
  { device, env }: Pick<PersonSignIn, "device" | "env">,
  browserCommand: string | undefined,
): Promise<string | undefined> {
  return device || browserCommand !== undefined || env("BROWSER") !== undefined
    ? undefined
    : await browserObstacle();
}

/** Undefined when nobody asked for a device code by name and the issuer gives this client none. */
async function byDeviceCode(
  prepared: PreparedSignIn,
  context: PersonSignIn,
): Promise<SignedIn | undefined> {
  let shown = false;
  try {
    return await signInWithDeviceCode(prepared, context.http, (device) => {
      shown = true;
      showCode(context, device);
    });
  } catch (thrown) {
    const refused = thrown instanceof AppError && thrown.code === "ISSUER_ERROR" && !shown;
    if (context.device || !refused) throw thrown;
    context.info(thrown.message);
    return undefined;
  }
}

const ASKED_AGAIN =
  "warning: The address that the browser was started with was asked for a second time. If that was " +
  "not you, another program\non this machine has seen it: look at who signed in, below.";

/** True when a browser was opened. */
async function showAddress(
  { important, info }: PersonSignIn,
  { url, oneTimeUrl }: WaitingForBrowser,
  browserCommand: string | undefined,
  obstacle: string | undefined,
): Promise<boolean> {
  important(`Open this address to sign in:\n\n  ${url}\n`);
  if (obstacle !== undefined) {
    info(`No browser is opened here, because ${obstacle}. Open the address in a browser of yours.`);
    return false;
  }
  const failure = await startBrowser(oneTimeUrl, browserCommand, info);
  if (failure === undefined) info("Waiting for the browser …");
  else info(`${capital(failure)}. Open the address yourself, or run this again with --no-browser.`);
  return failure === undefined;
}

/** Starts a browser, and says so where it is not the one that was chosen. Why none came up; undefined when one did. */
export async function startBrowser(
  url: string,
  command: string | undefined,
  note: (text: string) => void,
): Promise<string | undefined> {
  const outcome = await openBrowser(url, { command });
  if (!outcome.opened) return outcome.reason;
  const { fallbackReason, program } = outcome;
  if (fallbackReason !== undefined) note(`${capital(fallbackReason)}; ${program} was started instead.`);
  return undefined;
}

/** Where a person can be asked, they may paste the address at which their browser ended. */
async function readAddress(
  { keys, important, info }: PersonSignIn,
  waiting: WaitingForBrowser,
): Promise<void> {
  if (keys === undefined) return info("Waiting …");
  important(
    "If the browser ends on a page that it cannot show, copy that page's address, paste it here and press Enter\n" +
      "(it is not shown):",
  );
  await readPasted(waiting, keys, important);
}

/** Puts a code, and where it is typed, before the person. */
export function showCode(
  { important, info, terminal, http }: Pick<
    PersonSignIn,
    "important" | "info" | "terminal" | "http"
  >,
  device: Pick<DeviceCode, "userCode" | "verificationUri" | "verificationUriComplete" | "expiresAt">,
): void {
  important(
    `On any device, open:\n\n  ${device.verificationUri}\n\nand enter the code:\n\n  ${device.userCode}\n`,
  );
  if (device.verificationUriComplete !== undefined) {
    important(`Or open this address, which has the code in it:\n\n  ${device.verificationUriComplete}\n`);
    if (terminal) info(renderUnicodeCompact(device.verificationUriComplete, { border: 2 }));
  }
  const now = http.now();
  const left = device.expiresAt - now;
  const bound = (http.deadline ?? Infinity) - now;
  info(
    bound < left
      ? `Waiting for up to ${formatSpan(bound)} …`
      : `Waiting; the code expires in ${formatSpan(left)} …`,
  );
}
