/** The sign-in with a code that is typed on another device. */

import { beginDevice, type DeviceCode, pollDevice } from "../oauth/device.ts";
import type { HttpContext } from "../http/bounded.ts";
import { pause } from "../system/clock.ts";
import { completeSignIn, type PreparedSignIn, type SignedIn } from "./sign-in.ts";

/** Signs in with a device code, which `show` puts before the person. */
export async function signInWithDeviceCode(
  prepared: PreparedSignIn,
  http: HttpContext,
  show: (device: DeviceCode) => void,
): Promise<SignedIn> {
  const { metadata, scopes, deviceEndpoint: endpoint, choices: parameters, target: { client } } = prepared;
  const { trustedAudiences } = parameters;
  const device = await beginDevice(http, { metadata, client, scopes, endpoint, parameters });
  show(device);
  const polled = { metadata, client, device, parameters, trustedAudiences, sleep: pause };
  const signedIn = await pollDevice(http, polled);
  return await completeSignIn(http, prepared, signedIn);
}
