/** What the tests of printed values share. */

import { sampleObjects } from "./generated-values.ts";

/** Objects that are hard to print. */
export const OBJECTS = sampleObjects(1_500);
