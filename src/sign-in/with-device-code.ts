/** Owns the sign-in with a code that is typed on another device. */

import { beginDevice, type DeviceCode, pollDevice } from "../oauth/device.ts";
import type { Exchange } from "../oauth/http.ts";
import { pause } from "../system/clock.ts";
import { completeSignIn, type PreparedSignIn, type SignedIn } from "./sign-in.ts";

/** Signs in with a device code, which `show` puts before the person. */
export async function signInWithDeviceCode(
  prepared: PreparedSignIn,
  exchange: Exchange,
  show: (device: DeviceCode) => void,
): Promise<SignedIn> {
  const { metadata, scopes, deviceEndpoint: endpoint, target: { client } } = prepared;
  const device = await beginDevice(exchange, { metadata, client, scopes, endpoint });
  show(device);
  const signedIn = await pollDevice(exchange, { metadata, client, device, sleep: pause });
  return await completeSignIn(exchange, prepared, signedIn);
}
