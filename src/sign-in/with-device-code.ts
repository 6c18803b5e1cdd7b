/** Owns the sign-in with a code that is typed on another device. */

import { beginDevice, type DeviceCode, pollDevice } from "../oauth/device.ts";
import type { Exchange } from "../oauth/http.ts";
import { pause } from "../system/clock.ts";
import { prepareSignIn, type SignedIn, type SignInRequest, whoSignedIn } from "./sign-in.ts";

/** Signs in with a device code, which `show` puts before the person. */
export async function signInWithDeviceCode(
  request: SignInRequest,
  exchange: Exchange,
  show: (device: DeviceCode) => void,
): Promise<SignedIn> {
  const { target } = request;
  const { metadata, scopes } = await prepareSignIn(exchange, request);
  const endpoint = metadata.device_authorization_endpoint ?? target.deviceEndpoint;
  const device = await beginDevice(exchange, { metadata, clientId: target.clientId, scopes, endpoint });
  show(device);
  const signedIn = await pollDevice(exchange, { metadata, clientId: target.clientId, device, sleep: pause });
  return { ...signedIn, target, metadata, scopes, user: await whoSignedIn(exchange, metadata, signedIn) };
}
